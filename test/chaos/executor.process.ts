import { ServiceProcess } from './service.process.js';

export const operatorsModule = new URL('./effect.operators.mjs', import.meta.url).pathname;

/** One executor as a real process of the operating system. */
export class ExecutorProcess extends ServiceProcess {
  constructor(environment: Record<string, string>, onLine?: (line: Record<string, unknown>) => void) {
    super('executor', environment, onLine);
  }
}
