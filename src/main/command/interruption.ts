/** Commands that look at files, and may be interrupted while ssl_passphrase_command runs in a process group of its own. */

/** Aborts at SIGHUP, SIGINT and SIGTERM; the process then ends by that signal. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      controller.abort();
      // A password is being asked for: Node sets the terminal right only where nobody listens for the signal.
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
      process.kill(process.pid, signal);
    });
  }
  return controller.signal;
}
