import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let isMended = false;

/**
 * kafkajs 2.2.4 looks every millisecond, on every connection that has ever had an answer, for requests that wait, even
 * where none does: a twentieth of a core per service at rest, and Node.js warns of the negative time of its timer.
 * Who puts a request into the queue asks for that look as well, so with an empty queue none is needed.
 */
export function mendRequestQueue(): void {
  if (isMended) return;
  isMended = true;
  const look = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) look.call(this);
  };
}
