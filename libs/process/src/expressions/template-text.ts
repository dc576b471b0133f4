import { ExpressionError } from './expression.types.js';

export type TextPart = { text: string } | { expression: string; offset: number };

const opening = '${{';

export function containsExpression(text: string): boolean {
  return text.includes(opening);
}

/** `a ${{ x }} b` into its parts; `$${{` is a literal `${{`. */
export function splitTemplate(source: string): TextPart[] {
  const parts: TextPart[] = [];
  let text = '';
  let position = 0;
  while (position < source.length) {
    const start = source.indexOf(opening, position);
    if (start < 0) break;
    if (start > position && source[start - 1] === '$') {
      text += source.slice(position, start - 1) + opening;
      position = start + opening.length;
      continue;
    }
    text += source.slice(position, start);
    const end = endOfExpression(source, start + opening.length);
    if (text !== '') parts.push({ text });
    text = '';
    parts.push({ expression: source.slice(start + opening.length, end).trim(), offset: start });
    position = end + 2;
  }
  text += source.slice(position);
  if (text !== '' || parts.length === 0) parts.push({ text });
  return parts;
}

/** The `}}` that closes: not one within text or within the braces of a map. */
function endOfExpression(source: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let position = start; position < source.length; position++) {
    const character = source[position] ?? '';
    if (quote) {
      if (character === '\\') position++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') depth++;
    else if (character === '}' && depth > 0) depth--;
    else if (character === '}' && source[position + 1] === '}') return position;
  }
  throw new ExpressionError(source, '`${{` is not closed.', 'Close it with `}}`, or write `$${{` for a literal `${{`.');
}
