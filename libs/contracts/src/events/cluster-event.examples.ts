import type { ClusterEventData, ClusterEventType } from '../cloud-events/cluster-events.js';

const node = 'executor-0199c2f0-5a5e-7c11-9d0e-2f0c6a1b7e44';

export const clusterEventExamples: { readonly [T in ClusterEventType]: ClusterEventData<T> } = {
  ExecutorJoined: { node, host: 'worker-1', pid: 4711, version: '0.1.0', capacity: 50 },
  ExecutorLeft: { node },
  ExecutorLost: { node, proof: 'lease' },
};
