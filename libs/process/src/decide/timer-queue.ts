import type { TimerKind } from '../events/process-event.types.js';

export interface QueuedTimer {
  due: number;
  path: string;
  kind: TimerKind;
  dueAt: string;
}

/** A binary heap by due time. Entries whose timer is gone are left in it and passed over by whoever takes them. */
export class TimerQueue {
  private readonly heap: QueuedTimer[] = [];

  get first(): QueuedTimer | undefined {
    return this.heap[0];
  }

  add(path: string, kind: TimerKind, dueAt: string): void {
    const heap = this.heap;
    const timer = { due: Date.parse(dueAt), path, kind, dueAt };
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as QueuedTimer;
      if (above.due <= timer.due) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  take(): QueuedTimer | undefined {
    const heap = this.heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as QueuedTimer).due < (heap[child] as QueuedTimer).due) child++;
      if ((heap[child] as QueuedTimer).due >= last.due) break;
      heap[at] = heap[child] as QueuedTimer;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
