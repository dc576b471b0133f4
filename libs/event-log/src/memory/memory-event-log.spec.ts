import { eventLogContract } from '../contract/event-log.contract.js';
import { MemoryCell } from './memory-cell.js';

eventLogContract('in memory', async () => ({
  ...new MemoryCell({ now: () => Date.now() }),
  close: async () => undefined,
}));
