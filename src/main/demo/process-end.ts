/** What has to be undone when this process ends, however it ends (but for SIGKILL): synchronous, newest first. */

type Cleanup = () => void;

const cleanups = new Set<Cleanup>();
let hooked = false;
let signalsHooked = false;

const endSignals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs `cleanup` when the process exits or dies of an uncaught error; unless `signals` is false also on SIGINT,
 * SIGTERM and SIGHUP, which then end the process with 128 + signal as shells expect. Returns the function that
 * forgets it again.
 */
export function onProcessEnd(cleanup: Cleanup, signals = true): () => void {
  if (!hooked) {
    hooked = true;
    process.on('exit', runCleanups);
  }
  if (signals && !signalsHooked) {
    signalsHooked = true;
    for (const [signal, number] of Object.entries(endSignals)) process.on(signal, () => process.exit(128 + number));
  }
  cleanups.add(cleanup);
  return () => { cleanups.delete(cleanup); };
}

function runCleanups(): void {
  for (const cleanup of [...cleanups].toReversed()) {
    cleanups.delete(cleanup);
    try {
      cleanup();
    } catch (error) {
      // The others must still run.
      console.error(`cleaning up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
