/**
 * A process that asks PAM: one login after the other, a line of JSON in, a line out, both over descriptor 3. What modules
 * read from standard input or print goes nowhere: a print must not look like an answer.
 *
 * A process and not a thread of pgloom, for four reasons. Modules wait for seconds, and the threads that Node.js has
 * for such calls are four, shared with everything that reads files or looks for addresses. Some modules fork and change
 * the handling of SIGCHLD for the whole process (pam_unix), which would lose the ends of pgloom's own scripts. Many were
 * written for programs with one thread. And one that crashes or never returns takes only this process with it.
 *
 * It ends when the other side closes.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { askPam, type PamQuestion } from './pam-library.js';

const asker = new Socket({ fd: 3 });
asker.on('error', () => process.exit(0));
createInterface({ input: asker }).on('line', (line) => {
  asker.write(`${JSON.stringify(askPam(JSON.parse(line) as PamQuestion))}\n`);
});
