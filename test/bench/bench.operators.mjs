/** Operator types of the bench: effects that cost nothing, so that what is measured is Baton. */
const pause = (context) => {
  context.begin();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ status: 'completed', output: {} }), Number(context.fields.ms));
    context.signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve({ status: 'unknown', reason: 'aborted' });
      },
      { once: true },
    );
  });
};

export const operators = ({ z, defineOperator }) => [
  defineOperator({
    descriptor: {
      type: 'trivial',
      class: 'effect',
      summary: 'Gives back its number.',
      fields: z.object({ i: z.union([z.number(), z.string()]) }),
    },
    run: async (context) => {
      context.begin();
      return { status: 'completed', output: { i: context.fields.i } };
    },
  }),
  defineOperator({
    descriptor: {
      type: 'pause',
      class: 'effect',
      summary: 'Takes a while.',
      fields: z.object({ ms: z.union([z.number(), z.string()]) }),
    },
    run: pause,
  }),
  defineOperator({
    descriptor: {
      type: 'pause-once',
      class: 'effect',
      summary: 'Takes a while, and does no harm when it begins late, like what is exactly once at its target.',
      fields: z.object({ ms: z.union([z.number(), z.string()]) }),
      lateBeginIsHarmless: () => true,
    },
    run: pause,
  }),
];
