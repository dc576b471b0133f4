/** One function of the language: how it is called, what it does, and how its handler is registered. */
export interface CelFunction {
  /** CEL signatures: `name(int): list<int>` or `list.name(): dyn`. */
  signatures: readonly string[];
  summary: string;
  example: string;
  handler: (...values: never[]) => unknown;
}
