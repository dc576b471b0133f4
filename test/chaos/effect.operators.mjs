/** Operator types of the chaos and crash tests: an effect on the ledger outside, and the question whether it happened. */
export const operators = ({ z, defineOperator }) => [
  defineOperator({
    descriptor: {
      type: 'effect',
      class: 'effect',
      summary: 'Leaves a line in the ledger of effects.',
      fields: z.object({ url: z.string(), takes: z.union([z.number(), z.string()]).optional() }),
    },
    run: async (context) => {
      const { processId: process_, path, attempt, idempotencyKey: key, fields, signal } = context;
      context.begin();
      const begunAt = Date.now();
      const takes = fields.takes ?? 0;
      const body = JSON.stringify({ process: process_, path, attempt, key, pid: process.pid, takes, begunAt });
      let response;
      try {
        response = await fetch(`${fields.url}/effect`, { method: 'POST', body, signal });
      } catch (error) {
        return { status: 'unknown', reason: String(error) };
      }
      if (!response.ok) return { status: 'failed', error: { code: 'refused', message: `${response.status}` } };
      return { status: 'completed', output: { done: path.replaceAll(/#\d+/g, '') } };
    },
  }),
  defineOperator({
    descriptor: {
      type: 'effect-check',
      class: 'effect',
      summary: 'Asks the ledger whether an effect happened.',
      fields: z.object({ url: z.string() }),
      defaultRecovery: () => 'rerun',
      lateBeginIsHarmless: () => true,
    },
    run: async (context) => {
      const path = context.path.replace(/\/verify$/, '');
      context.begin();
      const query = new URLSearchParams({ process: context.processId, path });
      const response = await fetch(`${context.fields.url}/happened?${query}`, { signal: context.signal });
      const { happened } = await response.json();
      return { status: 'completed', output: { happened, done: path.replaceAll(/#\d+/g, '') } };
    },
  }),
];
