/** psycopg 2 (Debian: python3-psycopg2) through pgloom and beside it. */
import { programs, succeeds, testScenario } from './foreign-program.js';

testScenario({
  driver: 'psycopg 2',
  command: '/usr/bin/python3',
  args: () => [programs('psycopg2_scenario.py')],
  skip: succeeds('/usr/bin/python3', ['-c', 'import psycopg2']) ? false : 'python3-psycopg2 is not installed',
  checks: 25,
});
