/** `node print-sample.js sample|markdown`: prints the sample configuration file or the README's table. */
import { parameterMarkdown, sampleConfig } from './sample.js';

const [what] = process.argv.slice(2);
if (what === 'sample') {
  process.stdout.write(sampleConfig());
} else if (what === 'markdown') {
  process.stdout.write(parameterMarkdown());
} else {
  process.stderr.write('usage: print-sample sample|markdown\n');
  process.exitCode = 2;
}
