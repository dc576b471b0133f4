import type { CommandDecision, Refusal } from '../decide/decision.types.js';

export const refuse = (
  code: Refusal['code'],
  reason: string,
  more: Pick<Refusal, 'remedy' | 'errors'> = {},
): CommandDecision => ({ refused: { code, reason, ...more } });
