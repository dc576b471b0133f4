import net from 'node:net';

/** A TCP proxy before PostgreSQL that cuts both sides when it sees a message, before or after it was passed on. */
export class CuttingProxy {
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();
  private rule: { match: (chunk: Buffer) => boolean; when: 'before' | 'after-answer' } | null = null;
  private refusing = false;
  private refuseNext = false;
  private onRefused: () => void = () => undefined;
  cuts = 0;

  constructor(private readonly target: { host: string; port: number }) {
    this.server = net.createServer((client) => this.join(client));
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Once: `before` drops the message, `after-answer` passes it on and drops the server's answer. */
  cutOn(text: string, when: 'before' | 'after-answer'): void {
    this.rule = { match: (chunk) => chunk.includes(text), when };
  }

  refuse(refusing: boolean): void {
    this.refusing = refusing;
  }

  /** From the next cut on nobody gets through, over other connections neither. */
  refuseAfterCut(): void {
    this.refuseNext = true;
  }

  refused(): Promise<void> {
    return new Promise((done) => {
      this.onRefused = done;
    });
  }

  private cut(): void {
    this.cuts += 1;
    if (!this.refuseNext) return;
    this.refuseNext = false;
    this.refusing = true;
    this.cutAll();
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.server.close();
  }

  private join(client: net.Socket): void {
    if (this.refusing) {
      this.onRefused();
      client.destroy();
      return;
    }
    const server = net.connect(this.target.port, this.target.host);
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
    }
    let dropAnswer = false;
    client.on('data', (chunk) => {
      if (this.rule?.match(chunk)) {
        const { when } = this.rule;
        this.rule = null;
        if (when === 'before') {
          this.cut();
          client.destroy();
          return;
        }
        dropAnswer = true;
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!dropAnswer) return void client.write(chunk);
      this.cut();
      client.destroy();
    });
  }
}
