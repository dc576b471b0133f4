/** The database is there but must not be written to: another timeline or cluster than the log knows, or a pooler in between. */
export class LogUnavailable extends Error {
  override name = 'LogUnavailable';
  constructor(
    readonly reason: 'timeline' | 'cluster' | 'pooler' | 'schema',
    message: string,
  ) {
    super(message);
  }
}
