import { RE2JS } from 're2js';
import type { CelFunction } from './cel-function.types.js';

/** The receiver type of `regex.matches(…)`: patterns run in linear time, whatever they are. */
export class RegexNamespace {}
export const regexTypeName = 'RegexNamespace';

const maximumPatterns = 200;
const patterns = new Map<string, RE2JS>();

export const regexFunctions: readonly CelFunction[] = [
  {
    signatures: [`${regexTypeName}.matches(string, string): bool`],
    summary: 'whether the pattern (RE2) is found in the text; ^ and $ for all of it',
    example: "regex.matches(inputs.version, '^v[0-9]+$')",
    handler: (_: RegexNamespace, text: string, pattern: string) => compiled(pattern).matcher(text).find(),
  },
  {
    signatures: [`${regexTypeName}.replace(string, string, string): string`],
    summary: 'the text with every match replaced; $1 stands for the first group',
    example: "regex.replace(inputs.name, '[^a-z]', '-')",
    handler: (_: RegexNamespace, text: string, pattern: string, replacement: string) =>
      compiled(pattern).matcher(text).replaceAll(replacement, true),
  },
  {
    signatures: [`${regexTypeName}.extract(string, string): string`],
    summary: 'the first match, or its first group if the pattern has one; empty text if there is none',
    example: "regex.extract(output.stdout, 'version ([0-9.]+)')",
    handler: (_: RegexNamespace, text: string, pattern: string) => extractAll(text, pattern, 1)[0] ?? '',
  },
  {
    signatures: [`${regexTypeName}.extractAll(string, string): list<string>`],
    summary: 'all matches, or their first groups',
    example: "regex.extractAll(output.stdout, '[0-9]+')",
    handler: (_: RegexNamespace, text: string, pattern: string) => extractAll(text, pattern, 10_000),
  },
];

function extractAll(text: string, pattern: string, limit: number): string[] {
  const matcher = compiled(pattern).matcher(text);
  const group = matcher.groupCount() > 0 ? 1 : 0;
  const found: string[] = [];
  while (found.length < limit && matcher.find()) found.push(matcher.group(group) ?? '');
  return found;
}

function compiled(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known) return known;
  if (patterns.size >= maximumPatterns) patterns.clear();
  const made = RE2JS.compile(pattern);
  patterns.set(pattern, made);
  return made;
}
