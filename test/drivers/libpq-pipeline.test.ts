/** libpq's pipeline mode, called from Python through ctypes: nothing to compile. */
import { programs, succeeds, testScenario } from './foreign-program.js';

const python = '/usr/bin/python3';

testScenario({
  driver: 'libpq pipeline mode',
  command: python,
  args: () => [programs('libpq_pipeline_scenario.py')],
  skip: succeeds(python, ['-c', 'import ctypes; ctypes.CDLL("libpq.so.5").PQenterPipelineMode']) ? false : 'python3 or libpq5 14 or newer is not installed',
  checks: 20,
});
