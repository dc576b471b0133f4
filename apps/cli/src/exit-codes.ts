/** Design 9: what the shell learns. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  outOfReach: 3,
  notFound: 4,
  notAllowed: 5,
} as const;

/** The command ends with this code; the message has been, or is now, told to the user. */
export class CommandEnd extends Error {
  override name = 'CommandEnd';
  constructor(
    readonly exitCode: number,
    message = '',
  ) {
    super(message);
  }
}

export function wrongUse(message: string): CommandEnd {
  return new CommandEnd(exitCodes.wrongUse, message);
}
