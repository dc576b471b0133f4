/** What a consumer needs to know of an event to tell it from others. */
export interface Received {
  id: string;
  /** The process. */
  subject: string;
  sequence: number;
}

export type Finding =
  | { what: 'event' }
  | { what: 'repetition' }
  /** Numbers that should have come before this event, which is new. They may still come, when they are published again. */
  | { what: 'gap'; from: number; to: number };

interface Followed {
  /** The highest sequence that came. */
  highest: number;
  /** By sequence. After Baton's log was restored from a backup, a number may come again with another id: a new event. */
  ids: Map<number, string>;
}

/** Tells new events from repetitions by their id, and finds gaps: within a process, sequences are gapless from 1. */
export class Follower {
  readonly #followed = new Map<string, Followed>();
  readonly #most: number;

  /** Remembers this many processes: those that were silent longest are forgotten first. */
  constructor(most = 100_000) {
    this.#most = most;
  }

  /** Call it in the order of arrival. A gap is told once, with the event behind it. */
  receive({ id, subject, sequence }: Received): Finding {
    const followed = this.#of(subject);
    if (followed.ids.get(sequence) === id) return { what: 'repetition' };
    followed.ids.set(sequence, id);
    const from = followed.highest + 1;
    followed.highest = Math.max(followed.highest, sequence);
    return sequence > from ? { what: 'gap', from, to: sequence - 1 } : { what: 'event' };
  }

  #of(subject: string): Followed {
    const followed = this.#followed.get(subject) ?? { highest: 0, ids: new Map<number, string>() };
    // A Map keeps the order of insertion: what is set again moves to its end.
    this.#followed.delete(subject);
    this.#followed.set(subject, followed);
    if (this.#followed.size > this.#most) this.#followed.delete(this.#followed.keys().next().value ?? '');
    return followed;
  }
}
