import { storesContract } from '../contract/stores.contract.js';
import { MemoryCell } from './memory-cell.js';

storesContract('in memory', async () => {
  const cell = new MemoryCell({ now: () => Date.now() });
  return {
    log: cell.log,
    requests: cell.requests,
    children: cell.children,
    messages: cell.messages,
    otherMessages: cell.messages,
    ageKey: async (key) => cell.requests.age('anna', key, 8 * 24 * 3_600_000),
    close: async () => undefined,
  };
});
