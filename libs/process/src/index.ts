export * from './audit/effect.audit.js';
export { decideCommand } from './command/decide-command.js';
export { areIndependent } from './command/independent.js';
export { type CompileOptions, compile, digestOf } from './compile/compile.js';
export type * from './compile/compiled.types.js';
export { checkInputs, type InputError } from './compile/input-schemas.js';
export { type KafkaUse, kafkaUses } from './compile/kafka-uses.js';

export { decide } from './decide/decide.js';
export type * from './decide/decision.types.js';
export { isoTime } from './decide/iso-time.js';

export { type OutlineLine, outline } from './draw/outline.js';
export type { BrokenInvariant } from './events/check-invariants.js';
export { checkInvariants } from './events/check-invariants.js';
export { schemaVersions } from './events/event-types.js';
export type * from './events/process-event.types.js';
export type * from './expressions/expression.types.js';
export { ExpressionError } from './expressions/expression.types.js';
export { headChangeOf } from './head/head-change.js';
export type * from './head/head-change.types.js';
export type * from './json.types.js';
export type * from './operators/operator-descriptor.types.js';
export { builtInOperators } from './operators/operator-registry.js';
export { recordFits } from './schema/record-match.js';
export { evolve } from './state/evolve.js';
export type {
  EndStatus,
  IncidentState,
  OperatorState,
  OperatorStatus,
  ProcessState,
  TaskState,
} from './state/process-state.js';
export { initialState } from './state/process-state.js';
export type { StateSnapshot } from './state/snapshot.js';
export { fromSnapshot, snapshotText, stateShape } from './state/snapshot.js';
export type { OperatorSummary, ProcessStatus, ProcessView } from './state/view.js';

export type { Explanation } from './state/why.js';
export { why } from './state/why.js';
export type { NotUnderstood, WrittenEvent } from './upcast/upcast.js';
export { upcast } from './upcast/upcast.js';
