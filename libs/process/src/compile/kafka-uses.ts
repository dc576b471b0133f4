import { parseDuration } from '../definition/duration.js';
import type { CompiledDefinition, CompiledOperator, CompiledScope } from './compiled.types.js';

/** An operator that needs Kafka. */
export interface KafkaUse {
  /** operators.NAME, operators.GROUP.operators.NAME, … as faults name places. */
  path: string;
  type: 'publish' | 'receive';
  /** False: a publish by a connection of its own. */
  ofCluster: boolean;
  /** Of a receive: the topic that is read, and how long its records are kept; undefined where it is not stated. */
  topic?: string;
  keepMs?: number;
}

/** Which operators of a definition need Kafka, and which topics must be read for it. */
export function kafkaUses(definition: CompiledDefinition): KafkaUse[] {
  return [...usesIn(definition.operators, 'operators'), ...usesIn(definition.finally, 'finally')];
}

function usesIn(scope: CompiledScope, path: string): KafkaUse[] {
  return scope.operators.flatMap((operator) => usesOf(operator, `${path}.${operator.name}`));
}

function usesOf(operator: CompiledOperator, path: string): KafkaUse[] {
  const { scope, verify, compensate } = operator;
  return [
    ...ownUse(operator, path),
    ...(scope ? usesIn(scope, `${path}.operators`) : []),
    ...(verify ? usesOf(verify, `${path}.verify`) : []),
    ...(compensate ? usesOf(compensate, `${path}.compensate`) : []),
  ];
}

function ownUse({ type, fields }: CompiledOperator, path: string): KafkaUse[] {
  if (type === 'publish') return [{ path, type, ofCluster: fields['connection'] === undefined }];
  const topic = fields['topic']?.source;
  if (type !== 'receive' || typeof topic !== 'string') return [];
  const keep = fields['keep']?.source;
  const keepMs = typeof keep === 'string' ? parseDuration(keep) : undefined;
  return [{ path, type, ofCluster: true, topic, ...(keepMs === undefined ? {} : { keepMs }) }];
}
