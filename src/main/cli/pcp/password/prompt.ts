/** Asks for the password: on a terminal without showing it, else the first line of the standard input. */

const newline = 0x0a;
const carriageReturn = 0x0d;
const controlC = 0x03;
const controlD = 0x04;
const controlU = 0x15;
const backspaces: readonly number[] = [0x08, 0x7f];
/** 128 + SIGINT, as shells show it. */
const interruptedStatus = 130;
/** More than any password: what comes in a pipe is not read for ever. */
const maxLineBytes = 4096;

/**
 * Resolves with the line; '' at the end of the input. Ctrl-C ends the process.
 * @param output where the question is put
 */
export async function promptPassword(question = 'Password: ', output: NodeJS.WriteStream = process.stderr): Promise<string> {
  const { stdin } = process;
  // Before the prompt, or a quick typist's first letters would show.
  if (stdin.isTTY) stdin.setRawMode(true);
  output.write(question);
  try {
    return await readLine(stdin);
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    output.write('\n');
  }
}

/** A terminal in raw mode leaves the editing to us. */
function readLine(stdin: typeof process.stdin): Promise<string> {
  return new Promise((resolve) => {
    const line: number[] = [];
    const stop = (): void => {
      stdin.off('data', onData).off('end', stop).off('error', stop);
      resolve(Buffer.from(line).toString('utf8'));
    };
    const onData = (bytes: Buffer): void => {
      for (const byte of bytes) {
        if (byte === newline || line.length >= maxLineBytes || (stdin.isTTY && isEnd(byte))) return stop();
        if (stdin.isTTY) edit(line, byte);
        else line.push(byte);
      }
    };
    stdin.on('data', onData).on('end', stop).on('error', stop);
    // A question before this one has paused it.
    stdin.resume();
  });
}

function isEnd(byte: number): boolean {
  return byte === carriageReturn || byte === controlD;
}

function edit(line: number[], byte: number): void {
  if (byte === controlC) {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
    process.exit(interruptedStatus);
  }
  if (byte === controlU) line.length = 0;
  else if (backspaces.includes(byte)) dropCharacter(line);
  else line.push(byte);
}

/** The bytes of one UTF-8 character: those behind its first one begin with the bits 10. */
function dropCharacter(line: number[]): void {
  for (let byte = line.pop(); byte !== undefined && (byte & 0xc0) === 0x80;) byte = line.pop();
}
