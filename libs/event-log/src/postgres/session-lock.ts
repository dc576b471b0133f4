import { Reconnecting } from './reconnecting.js';

/**
 * Holds a session advisory lock on a connection of its own, and takes it again when the connection or the server was
 * gone. Optional: without it a crash is noticed by the lease alone.
 */
export class SessionLock {
  #held = false;
  readonly #connection: Reconnecting;
  constructor(url: string, name: string, onLost: () => void = () => undefined) {
    this.#connection = new Reconnecting({
      url,
      application: 'baton lock',
      onConnect: async (client) => {
        const { rows } = await client.query<{ got: boolean; pid: number }>(
          'select pg_try_advisory_lock(hashtextextended($1, 0)) as got, pg_backend_pid() as pid',
          [name],
        );
        // The session that lost its connection may hold it for a moment more: tried again with the next check.
        this.#held = rows[0]!.got;
      },
      check: async (client) => {
        if (this.#held) await client.query('select 1');
        else {
          const { rows } = await client.query<{ got: boolean }>(
            'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
            [name],
          );
          this.#held = rows[0]!.got;
        }
      },
      checkEveryMs: 2_000,
      onLost: () => {
        this.#held = false;
        onLost();
      },
    });
  }
  get held(): boolean {
    return this.#held;
  }
  start(): Promise<void> {
    return this.#connection.start();
  }
  async stop(): Promise<void> {
    await this.#connection.stop();
    this.#held = false;
  }
}
