import { expect, it } from 'vitest';
import { compiled } from '../compile/compile.fixture.js';
import { outline } from './outline.js';

function drawn(yaml: string): string[] {
  return outline(compiled(yaml).operators).map(
    ({ rails, path, links }) => `${rails}${path}${links.length > 0 ? ` ← ${links.join(', ')}` : ''}`,
  );
}

it('a chain goes straight down, however long', () => {
  expect(
    drawn(
      'operators:\n  a: { type: set, value: 1 }\n  b: { type: set, value: 1, after: a }\n  c: { type: set, value: 1, after: b }\n',
    ),
  ).toEqual(['a', 'b', 'c']);
});

it('branches are indented, and the outline goes on where they merge', () => {
  expect(
    drawn(`operators:
  a: { type: set, value: 1 }
  left: { type: set, value: 1, after: [a] }
  then: { type: set, value: 1, after: [left] }
  right: { type: set, value: 1, after: [a] }
  merge: { type: set, value: 1, after: [then, right] }
  end: { type: set, value: 1, after: [merge] }
  alarm: { type: set, value: 1, after: [merge.failed] }
`),
  ).toEqual(['a', '├─left', '│ then', '├─right', 'merge ← then, right', '├─end', '└─alarm ← merge.failed']);
});

it('a group holds its operators', () => {
  expect(
    drawn(`operators:
  g:
    type: group
    operators: { x: { type: set, value: 1 }, y: { type: set, value: 1, after: [x] } }
  last: { type: set, value: 1, after: [g] }
`),
  ).toEqual(['g', '┊ g/x', '┊ g/y', 'last']);
});
