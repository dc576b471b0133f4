/** Ten effects one after the other; each output goes into the next, as in a real process. */
export const tenOperators = [
  'kind: Process',
  'name: bench/ten',
  'defaults: { recovery: rerun }',
  'operators:',
  ...Array.from({ length: 10 }, (_, i) =>
    i === 0 ? '  o0: { type: trivial, i: 0 }' : `  o${i}: { type: trivial, after: [o${i - 1}], i: ${i} }`,
  ),
  '',
].join('\n');

/** One effect that takes a second and may be repeated. */
export const oneSecond = `kind: Process
name: bench/second
operators:
  wait: { type: pause, ms: 1000, recovery: rerun }
`;

/** Parked until the time that the request gives. */
export const parkedUntil = `kind: Process
name: bench/parked
inputs: { at: { type: string } }
operators:
  wait: { type: delay, until: "\${{ inputs.at }}" }
`;

/** A loop of as many trivial effects as the request asks for. */
export const loopOver = `kind: Process
name: bench/loop
inputs: { items: { type: array } }
operators:
  each: { type: trivial, forEach: { in: "\${{ inputs.items }}", as: item, maxParallel: 100 }, i: "\${{ item }}", recovery: rerun }
`;
