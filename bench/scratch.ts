import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

type Undo = () => void | Promise<void>;

/** What has been started and not yet stopped, newest last. */
const pending: Undo[] = [];
let signalsWatched = false;
let interrupted = false;
let undoing: Promise<void> | null = null;

/**
 * Registers how to stop or remove something. The returned function does it now, once; what is
 * still registered when the bench ends, fails or is interrupted is undone then, newest first.
 */
export function registerUndo(undo: Undo): () => Promise<void> {
  watchSignals();
  pending.push(undo);
  return async () => {
    const index = pending.indexOf(undo);
    if (index < 0) return;
    pending.splice(index, 1);
    await undo();
  };
}

/** Undoes everything that is registered, newest first; an undo that fails is named and passed over. */
export function undoEverything(): Promise<void> {
  undoing ??= (async () => {
    for (let undo = pending.pop(); undo !== undefined; undo = pending.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`bench: clean-up: ${String(error)}\n`);
      }
    }
    undoing = null;
  })();
  return undoing;
}

/**
 * To be asked before anything is started: what starts while the rest is being stopped would stay.
 * @throws Error after Ctrl-C or another ending signal.
 */
export function throwIfInterrupted(): void {
  if (interrupted) throw new Error('interrupted');
}

/** A new directory that anybody may enter (servers run as another user); removed at the end. */
export function makeScratchDirectory(name: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), `pgloom-bench-${name}-`));
  chmodSync(directory, 0o755);
  registerUndo(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function watchSignals(): void {
  if (signalsWatched) return;
  signalsWatched = true;
  const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    process.on(signal, () => {
      interrupted = true;
      void undoEverything().finally(() => process.exit(exitCode));
    });
  }
}
