#!/usr/bin/env node
/** The pcp_* commands: one program, selected by the name it is called by (reference/commands.md section 2). */
import path from 'node:path';
import { runPcpCommand } from './pcp/run.js';

// The reader of a pipe may leave early, as `head` does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Node keeps the name of a symbolic link in argv[1].
process.exitCode = await runPcpCommand(path.basename(process.argv[1] ?? ''), process.argv.slice(2));
