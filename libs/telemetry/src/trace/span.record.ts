/** A span as it was derived from the log; times in ms since 1970 by the database's clock. */
export interface SpanRecord {
  traceId: string;
  spanId: string;
  /** Undefined: the root of its trace. */
  parentSpanId?: string;
  /** The parent is another service's. */
  parentIsRemote?: boolean;
  tracestate?: string;
  name: string;
  kind: 'internal' | 'client' | 'producer' | 'consumer';
  startedAt: number;
  endedAt: number;
  attributes: Record<string, string | number | string[]>;
  /** Undefined: it ended as it was meant to. */
  error?: string;
  events: SpanEvent[];
  droppedEvents: number;
  links: SpanLink[];
}

export interface SpanEvent {
  name: string;
  at: number;
  attributes: Record<string, string | number | string[]>;
}

export interface SpanLink {
  spanId: string;
  attributes: Record<string, string>;
}
