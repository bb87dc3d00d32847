// The frame of every command: known failures are told in words, unknown ones with their stack.

/** Something outside went wrong (no npm, no network, a build that fails): the message says what to do. */
export class SetupError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/**
 * Runs a command; its number is the exit code.
 * @param {() => Promise<number>} command
 */
export async function runCommand(command) {
  try {
    process.exitCode = await command();
  } catch (error) {
    const isKnown = error instanceof Error && /^(SetupError|NoChromiumError)$/.test(error.name);
    console.error(isKnown ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
