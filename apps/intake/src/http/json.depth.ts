/**
 * Finds where JSON or YAML flow text nests deeper than `limit`, without parsing it: a parser given a million brackets
 * has lost its stack before it could say so. Returns the offset of the bracket that is too deep, or -1.
 */
export function tooDeepAt(text: string, limit: number): number {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openBrace || code === openBracket) {
      if (++depth > limit) return i;
    } else if (code === closeBrace || code === closeBracket) depth--;
  }
  return -1;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
