/** psycopg 3 (Debian: python3-psycopg) through pgloom and beside it. */
import { programs, succeeds, testScenario } from './foreign-program.js';

testScenario({
  driver: 'psycopg 3',
  command: '/usr/bin/python3',
  args: () => [programs('psycopg3_scenario.py')],
  skip: succeeds('/usr/bin/python3', ['-c', 'import psycopg']) ? false : 'python3-psycopg is not installed',
  checks: 25,
});
