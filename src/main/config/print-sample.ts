/** `node print-sample.js sample|markdown`: prints the sample configuration file or the README's table. */
import { parameterMarkdown, sampleConfig } from './sample.js';
import { sampleKinds } from './sample-kinds.js';

const [what, ending = ''] = process.argv.slice(2);
const kind = sampleKinds.find((kind) => kind.ending === ending);
if (what === 'sample' && kind !== undefined) {
  process.stdout.write(sampleConfig(kind));
} else if (what === 'markdown') {
  process.stdout.write(parameterMarkdown());
} else {
  process.stderr.write(`usage: print-sample sample [${sampleKinds.map(({ ending }) => ending).filter((ending) => ending !== '').join('|')}]\n       print-sample markdown\n`);
  process.exitCode = 2;
}
