/** The record that was last acknowledged in a partition: its offset and the id of its event. */
export interface Mark {
  offset: string;
  id: string;
}
/** topic → partition → mark. */
export type TopicMarks = Record<string, Record<string, Mark>>;

/** What a broker says of its topics; high is the offset that the next record gets. */
export interface SeenTopics {
  clusterId: string;
  topics: Record<string, { partition: number; low: string; high: string }[]>;
}

/**
 * Why what was acknowledged cannot be all there any more, or null. A topic that grew beyond its marks again is not seen
 * here: for that the record itself is looked up.
 */
export function lossOf(known: { clusterId: string | null; marks: TopicMarks }, seen: SeenTopics): string | null {
  if (known.clusterId !== null && known.clusterId !== seen.clusterId)
    return `the Kafka cluster is another: ${seen.clusterId} instead of ${known.clusterId}`;
  for (const [topic, marks] of Object.entries(known.marks)) {
    const partitions = seen.topics[topic];
    if (!partitions) return `the topic ${topic} is gone`;
    for (const [partition, { offset }] of Object.entries(marks)) {
      const found = partitions.find((one) => String(one.partition) === partition);
      if (!found) return `partition ${partition} of ${topic} is gone`;
      if (BigInt(found.high) <= BigInt(offset))
        return `partition ${partition} of ${topic} went back: its next offset is ${found.high}, ${offset} was acknowledged`;
    }
  }
  return null;
}

/** The marks after a batch, or why the offsets that came back cannot follow what was acknowledged before. */
export function marksAfter(
  before: TopicMarks,
  acknowledged: readonly { topic: string; partition: number; baseOffset: string; count: number; lastId: string }[],
): { marks: TopicMarks; loss: string | null } {
  const marks: TopicMarks = { ...before };
  let loss: string | null = null;
  for (const { topic, partition, baseOffset, count, lastId } of acknowledged) {
    const known = before[topic]?.[partition];
    if (known && BigInt(baseOffset) <= BigInt(known.offset))
      loss = `partition ${partition} of ${topic} went back: a record got the offset ${baseOffset}, ${known.offset} was acknowledged before`;
    const offset = (BigInt(baseOffset) + BigInt(count) - 1n).toString();
    marks[topic] = { ...marks[topic], [partition]: { offset, id: lastId } };
  }
  return { marks, loss };
}
