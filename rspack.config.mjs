/** `import.meta` stays what it is at run time: by default the bundler writes the path of the source file into it. */
export default (options) => ({
  ...options,
  module: {
    ...options.module,
    parser: {
      ...options.module?.parser,
      javascript: { importMeta: false },
      'javascript/esm': { importMeta: false },
      'javascript/auto': { importMeta: false },
    },
  },
});
