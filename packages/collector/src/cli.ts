// The `framescope` command: flags in, a running collector out, and a clean end.
//
// stdout has one line, when it is ready; everything else is the log, on stderr.

import { startCollector, type Collector } from './collector.ts';
import { helpText, readCommand, UsageError, type Command } from './config.ts';
import { CLIENT_HELP, isClientCommand, runClientCommand } from './commands/commands.ts';
import { maintain } from './maintenance.ts';
import { VERSION } from './version.ts';

type Log = (message: string, error?: unknown) => void;

export async function main(): Promise<void> {
  const args = process.argv.slice(2);
  let command: Command;
  try {
    // One text describes all commands: `framescope export --help` is answered with it as well.
    if (args.includes('--help')) command = { kind: 'help' };
    else if (runMaintenance(args)) return;
    else if (isClientCommand(args[0])) {
      await askCollector(args);
      return;
    } else command = readCommand(args, process.env);
  } catch (problem) {
    if (!(problem instanceof UsageError)) throw problem;
    process.stderr.write(`framescope: ${problem.message}\nframescope --help lists the flags.\n`);
    process.exitCode = 2;
    return;
  }
  if (command.kind === 'help') process.stdout.write(`${helpText()}\n${CLIENT_HELP}`);
  else if (command.kind === 'version') process.stdout.write(`${VERSION}\n`);
  else await serve(command);
}

async function askCollector(args: readonly string[]): Promise<void> {
  try {
    const { lines, errors, code } = await runClientCommand(args, process.env, line =>
      process.stderr.write(`framescope: ${line}\n`),
    );
    process.stderr.write(errors.map(line => `framescope: ${line}\n`).join(''));
    process.stdout.write(lines.map(line => `${line}\n`).join(''));
    process.exitCode = code;
  } catch (problem) {
    if (problem instanceof UsageError || !(problem instanceof Error)) throw problem;
    process.stderr.write(`framescope: ${problem.message}\n`);
    process.exitCode = 2;
  }
}

/** True when the arguments name a command on a data folder; it is done then. */
function runMaintenance(args: readonly string[]): boolean {
  try {
    const done = maintain(args);
    if (!done) return false;
    process.stdout.write(done.lines.map(line => `${line}\n`).join(''));
    process.exitCode = done.code;
  } catch (problem) {
    if (problem instanceof UsageError || !(problem instanceof Error)) throw problem;
    // A full stack is of no use to whoever mistyped a question; errors of the store say what to do.
    process.stderr.write(`framescope: ${problem.message}\n`);
    process.exitCode = 1;
  }
  return true;
}

async function serve(command: Command & { kind: 'serve' }): Promise<void> {
  const log = command.logFormat === 'json' ? jsonLog : textLog;
  const running: { collector?: Collector } = {};
  const stop = async (): Promise<void> => running.collector?.close();
  try {
    running.collector = await startCollector({
      ...command.options,
      log,
      onCrash: () => {
        process.exitCode = 1;
        void stop();
      },
    });
  } catch (problem) {
    // Named errors say what to do; of others the stack is wanted.
    const isNamed = problem instanceof Error && problem.name !== 'Error';
    log(isNamed ? problem.message : 'cannot start', isNamed ? undefined : problem);
    process.exitCode = 1;
    return;
  }
  onSignals(stop, log);
  tellPorts(running.collector, log);
  process.stdout.write(`Framescope is ready on ${running.collector.url}\n`);
}

function tellPorts({ grpcPort, ingestPort, loginUrl }: Collector, log: Log): void {
  if (grpcPort !== undefined) log(`OTLP/gRPC on port ${grpcPort}`);
  if (ingestPort !== undefined) log(`telemetry only on port ${ingestPort}`);
  if (loginUrl !== undefined) log(`open ${loginUrl} in a browser to read; it works once`);
}

function onSignals(stop: () => Promise<void>, log: Log): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    // A second Ctrl-C is meant: the signal then does what it does by itself.
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    log(`${signal}: storing what was taken, then stopping`);
    stop().catch((problem: unknown) => {
      log('stopping failed', problem);
      process.exitCode = 1;
    });
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

const textLog: Log = (message, error) => {
  process.stderr.write(
    `framescope: ${message}\n${error === undefined ? '' : `${stackOf(error)}\n`}`,
  );
};

const jsonLog: Log = (message, error) => {
  const line = {
    time: new Date().toISOString(),
    level: error === undefined ? 'info' : 'error',
    message,
    ...(error !== undefined && { error: stackOf(error) }),
  };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
