import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { z } from 'zod';

/** A record as a client that knows nothing of Baton sees it. */
export interface KafkaRecord {
  topic: string;
  key: string;
  headers: Record<string, string>;
  /** Undefined: it is no JSON. */
  value: unknown;
}

const documentSchema = z.looseObject({
  asyncapi: z.literal('3.0.0'),
  channels: z.record(z.string(), z.object({ address: z.string(), messages: z.record(z.string(), z.unknown()) })),
  components: z.looseObject({
    messages: z.record(
      z.string(),
      z.looseObject({
        examples: z.array(z.object({ headers: z.record(z.string(), z.string()), payload: z.unknown() })).default([]),
      }),
    ),
  }),
});
type Document = z.infer<typeof documentSchema>;

interface Checked {
  headers: ValidateFunction;
  payload: ValidateFunction;
}

/** Judges records by an AsyncAPI document alone. */
export class AsyncApiContract {
  private readonly checks = new Map<string, Checked>();

  private readonly document: Document;

  constructor(document: unknown) {
    this.document = documentSchema.parse(document);
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajvFormats.default(ajv);
    ajv.addSchema({ $id: 'asyncapi', ...this.document });
    for (const name of Object.keys(this.document.components.messages)) {
      const compiled = (part: string) => ajv.compile({ $ref: `asyncapi#/components/messages/${name}/${part}` });
      this.checks.set(name, { headers: compiled('headers'), payload: compiled('payload') });
    }
  }

  get topics(): string[] {
    return Object.values(this.document.channels).map(({ address }) => address);
  }

  /** Names of the messages of a topic. */
  messagesOf(topic: string): string[] {
    const channel = Object.values(this.document.channels).find(({ address }) => address === topic);
    return Object.keys(channel?.messages ?? {});
  }

  examples(name: string) {
    return this.document.components.messages[name]?.examples ?? [];
  }

  /** The message that a record is, or why it is none. */
  judge(record: KafkaRecord): { message: string } | { fault: string } {
    const fitting = this.messagesOf(record.topic).filter((name) => this.checks.get(name)?.headers(record.headers));
    const [message] = fitting;
    if (message === undefined || fitting.length !== 1)
      return { fault: `${fitting.length} messages of ${record.topic} have such headers: ${told(record.headers)}` };
    const { payload } = this.checks.get(message)!;
    if (!payload(record.value)) return { fault: `${message}: ${told(payload.errors)} in ${told(record.value)}` };
    return { message };
  }
}

const told = (value: unknown) => JSON.stringify(value);
