/**
 * The language of Node.js 24, as in tsconfig.json. The default of the Nest CLI is ES2021, for which every private name
 * becomes a look-up in a WeakMap, and every class field a call.
 */
const target = 'es2024';

function withTarget(rule) {
  if (!Array.isArray(rule.use)) return rule;
  return {
    ...rule,
    use: rule.use.map((use) =>
      use.loader === 'builtin:swc-loader'
        ? { ...use, options: { ...use.options, jsc: { ...use.options.jsc, target } } }
        : use,
    ),
  };
}

/** `import.meta` stays what it is at run time: by default the bundler writes the path of the source file into it. */
export default (options) => ({
  ...options,
  module: {
    ...options.module,
    rules: (options.module?.rules ?? []).map(withTarget),
    parser: {
      ...options.module?.parser,
      javascript: { importMeta: false },
      'javascript/esm': { importMeta: false },
      'javascript/auto': { importMeta: false },
    },
  },
});
