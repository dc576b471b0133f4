type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const mask = '***';
/** Shorter ones occur in any text by chance; masking them would tell more than it hides. */
const shortest = 4;

/**
 * Hides secrets in whatever passes: as they are, and in the forms in which programs print them (base64 at each of its
 * three offsets, base64url, percent-encoded, form-encoded, JSON-escaped, hexadecimal, one line of several).
 */
export class Masker {
  private readonly pattern: RegExp | null;
  /** The longest form in characters: how much of a stream must be held back. */
  readonly longest: number;

  constructor(secrets: Iterable<string>) {
    const forms = new Set<string>();
    for (const secret of secrets) for (const form of formsOf(secret)) if (form.length >= shortest) forms.add(form);
    const sorted = [...forms].sort((a, b) => b.length - a.length);
    this.longest = sorted[0]?.length ?? 0;
    this.pattern = sorted.length === 0 ? null : new RegExp(sorted.map(escapeRegExp).join('|'), 'gi');
  }

  text(text: string): string {
    return this.pattern ? text.replace(this.pattern, mask) : text;
  }

  json(value: Json): Json {
    if (!this.pattern) return value;
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.text(String(value)) === String(value) ? value : mask;
    if (Array.isArray(value)) return value.map((part) => this.json(part));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [this.text(key), this.json(part)]));
    return value;
  }

  /** For text that comes in chunks: a secret that is cut between two of them is found too. Call `end` for the rest. */
  stream(): { push(chunk: string): string; end(): string } {
    let held = '';
    const release = (keep: number): string => {
      // Cut where no secret is under way: everything before the tail that could still become part of one.
      let cut = Math.max(0, held.length - keep);
      if (this.pattern)
        for (const match of held.matchAll(this.pattern)) {
          const end = match.index + match[0].length;
          if (match.index < cut && end > cut) cut = end;
        }
      const out = held.slice(0, cut);
      held = held.slice(cut);
      return this.text(out);
    };
    return {
      push: (chunk) => {
        held += chunk;
        return release(Math.max(0, this.longest - 1));
      },
      end: () => release(0),
    };
  }
}

function* formsOf(secret: string): Generator<string> {
  const trimmed = secret.trim();
  for (const text of new Set([secret, trimmed])) {
    if (text.length < shortest) continue;
    yield text;
    yield encodeURIComponent(text.toWellFormed());
    yield encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+');
    yield JSON.stringify(text).slice(1, -1);
    const bytes = Buffer.from(text, 'utf8');
    yield bytes.toString('hex');
    for (const encoding of ['base64', 'base64url'] as const) {
      // Inside a longer text the secret may begin at any of three offsets; the characters it shares with neighbours vary.
      for (const offset of [0, 1, 2]) {
        const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
          .toString(encoding)
          .replace(/=+$/, '');
        const start = offset === 0 ? 0 : offset + 1;
        const whole = Math.floor(((bytes.length + offset) * 8) / 6);
        yield shifted.slice(start, whole);
      }
    }
  }
  const lines = trimmed.split(/\r?\n/);
  if (lines.length > 1) for (const line of lines) if (line.trim().length >= 8) yield line.trim();
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
