/** Perl's DBD::Pg (Debian: libdbd-pg-perl) through pgloom and beside it. */
import { programs, succeeds, testScenario } from './foreign-program.js';

const perl = '/usr/bin/perl';

testScenario({
  driver: 'DBD::Pg',
  command: perl,
  args: () => [programs('dbd_pg_scenario.pl')],
  skip: succeeds(perl, ['-MDBD::Pg', '-e', '1']) ? false : 'libdbd-pg-perl is not installed',
  checks: 22,
});
