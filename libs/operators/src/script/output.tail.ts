import { StringDecoder } from 'node:string_decoder';

/** The end of a stream, by bytes; whole when it is to be parsed. Live chunks are passed on as whole characters. */
export class OutputTail {
  private chunks: Buffer[] = [];
  private size = 0;
  private readonly decoder = new StringDecoder('utf8');
  total = 0;
  overflown = false;

  constructor(
    private readonly keep: number,
    private readonly live?: (chunk: string) => void,
  ) {}

  push(chunk: Buffer): void {
    this.total += chunk.length;
    this.chunks.push(chunk);
    this.size += chunk.length;
    while (this.size - (this.chunks[0]?.length ?? 0) >= this.keep) {
      this.size -= this.chunks.shift()?.length ?? 0;
      this.overflown = true;
    }
    const text = this.decoder.write(chunk);
    if (text !== '') this.live?.(text);
  }

  text(most = this.keep): string {
    const all = Buffer.concat(this.chunks);
    let start = Math.max(0, all.length - most);
    if (start > 0 || this.total > all.length) while (((all[start] ?? 0) & 0xc0) === 0x80) start += 1; // not in mid-character
    return all.subarray(start).toString('utf8');
  }
}
