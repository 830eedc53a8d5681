import type { Readable } from 'node:stream';

/** The first line of a stream that matches; throws with all that came when the stream ends without one. */
export async function readLine(stream: Readable, pattern = /./): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    const stop = (): void => { stream.off('data', onData).off('end', onEnd); };
    const onData = (chunk: string): void => {
      text += chunk;
      const found = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').find((line) => pattern.test(line));
      if (found === undefined) return;
      stop();
      // The rest must not fill the pipe.
      stream.resume();
      resolve(found);
    };
    const onEnd = (): void => {
      stop();
      reject(new Error(`no line matches ${pattern} in:\n${text}`));
    };
    stream.on('data', onData).on('end', onEnd);
  });
}
