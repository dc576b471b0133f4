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

/** The same, exactly once: whoever takes it over need not wait for the proof that the one before is over. */
export const oneSecondOnce = `kind: Process
name: bench/second-once
operators:
  wait: { type: pause-once, ms: 1000, recovery: rerun }
`;

/** A process of ten events: what the grown log of W6 holds most of. */
export const threeOperators = `kind: Process
name: bench/three
defaults: { recovery: rerun }
operators:
  o0: { type: trivial, i: 0 }
  o1: { type: trivial, after: [o0], i: 1 }
  o2: { type: trivial, after: [o1], i: 2 }
`;

/** A loop and then an effect that does not end: a process of many events that somebody has to take over. */
export const longAndRunning = `kind: Process
name: bench/long
inputs: { items: { type: array } }
operators:
  each: { type: trivial, forEach: { in: "\${{ inputs.items }}", as: item, maxParallel: 100 }, i: "\${{ item }}", recovery: rerun }
  wait: { type: pause, after: [each], ms: 3600000, recovery: rerun }
`;
