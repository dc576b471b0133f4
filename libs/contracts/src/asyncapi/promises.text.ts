/** What a subscriber may rely on: the same words as docs/reference/events.md, as the document's own description. */
export const promises = `Baton runs processes; every fact about them is an event. The events are CloudEvents 1.0 in Kafka's binary mode: attributes are headers (\`ce_id\`, \`ce_type\`, …), the value is JSON.

- **At least once.** An event that was committed is delivered, whatever is killed meanwhile. It may come again, with the same \`ce_id\`: drop what you have seen.
- **Order.** Events of one subject have one key, and come in the order of \`ce_sequence\`. Repetitions may make it go back, never forward past an event that you did not get. Between subjects there is no order.
- **Gaps.** \`ce_sequence\` is gapless from 1. When it skips a number that you have not seen on the channel \`process\`, you missed something (retention, a lost offset): read it by \`GET /v1/processes/{id}/events?after=N\`.
- **Delay.** Usually some milliseconds. A transaction left open in the database holds events back, a broker that is away keeps them until it is there; nothing that drives a process waits for either.
- **Evolution.** Within \`.v1\` fields are added, and values where a schema says \`x-known-values\`; nothing else changes. Ignore fields that you do not know, and have a branch for values that you do not know. A changed meaning gets a new type \`.v2\`, beside the old one for a release.
- **Size.** A record's data is at most 256 KiB. Of a longer event the record has the header \`ce_dataref\`, and its data says where to GET it.
- **Secrets.** No event holds the value of a secret. What a definition marks as sensitive is sealed.
- **Ends.** A process that failed can be reopened (\`ProcessRetried\`): a second end may follow.`;

export const requestPromises = `Inbound: CloudEvents that ask for a process. A request is executed once, however often it is delivered; it is answered by events on the channel \`process\`. One that is bad or not authenticated goes to the dead-letter topic with the reason.`;
