/** What the chaos run drives: effects of every recovery, waits, a loop, a child, an undo. Each ends the same whatever dies. */
export function chaosDefinitions(url: string): Record<string, unknown>[] {
  const effect = (takes: string | number, more: Record<string, unknown> = {}) => ({
    type: 'effect',
    url,
    takes,
    recovery: 'rerun',
    ...more,
  });
  return [
    { name: 'chaos/child', operators: { only: effect(20) }, outputs: { done: '${{ operators.only.output.done }}' } },
    {
      name: 'chaos/release',
      inputs: { takes: { type: 'integer' } },
      operators: {
        prepare: effect('${{ inputs.takes }}'),
        check: effect(10, {
          after: ['prepare'],
          recovery: 'verify',
          verify: {
            type: 'effect-check',
            url,
            outcomes: { happened: 'output.happened', 'not-happened': 'else' },
          },
        }),
        soak: { type: 'delay', for: '1500ms', after: ['check'] },
        approve: {
          type: 'user-task',
          after: ['prepare'],
          assign: { roles: ['people'] },
          form: { type: 'object', properties: { go: { type: 'boolean' } }, required: ['go'] },
        },
        roll: effect('${{ inputs.takes }}', {
          after: ['soak', 'approve'],
          forEach: { in: ['a', 'b', 'c'], as: 'host', maxParallel: 2 },
        }),
        sub: { type: 'process', definition: 'chaos/child', after: ['roll'] },
        last: effect(5, { after: ['sub'] }),
      },
      outputs: { last: '${{ operators.last.output.done }}' },
    },
    {
      name: 'chaos/undone',
      inputs: { takes: { type: 'integer' } },
      operators: {
        work: effect('${{ inputs.takes }}', { compensate: effect(5) }),
        stop: { type: 'fail', message: 'as planned', after: ['work'] },
      },
    },
  ];
}
