import { createServer, type Server } from 'node:net';
import { type ThrowawayCluster, throwawayCluster } from './throwaway-cluster.js';

/**
 * One cluster for a whole test run, started when the first test asks for it: whoever connects to the port is told its
 * address in one line, so that runs without SQL start nothing.
 */
export class DatabaseServer {
  private started: Promise<ThrowawayCluster> | undefined;
  private readonly server: Server;

  constructor() {
    this.server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      this.started ??= throwawayCluster();
      this.started.then(
        ({ cluster }) => socket.end(JSON.stringify({ url: cluster.url() })),
        (error: unknown) =>
          socket.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) })),
      );
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address();
        if (typeof address === 'object' && address) resolve(address.port);
      });
    });
  }

  async close(): Promise<void> {
    this.server.close();
    await (await this.started?.catch(() => undefined))?.drop();
  }
}
