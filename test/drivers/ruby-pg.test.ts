/** ruby-pg (Debian: ruby-pg) through pgloom and beside it. */
import { programs, succeeds, testScenario } from './foreign-program.js';

const ruby = '/usr/bin/ruby';

testScenario({
  driver: 'ruby-pg',
  command: ruby,
  args: () => [programs('ruby_pg_scenario.rb')],
  skip: succeeds(ruby, ['-e', 'require "pg"']) ? false : 'ruby-pg is not installed',
  checks: 22,
});
