/** PHP's PDO (Debian: php-cli and php-pgsql) through pgloom and beside it. */
import { programs, succeeds, testScenario } from './foreign-program.js';

const hasDriver = succeeds('/usr/bin/php', ['-r', 'exit(extension_loaded("pdo_pgsql") && extension_loaded("pgsql") ? 0 : 1);']);

testScenario({
  driver: 'PHP PDO',
  command: '/usr/bin/php',
  args: () => [programs('php_pdo_scenario.php')],
  skip: hasDriver ? false : 'php-cli or php-pgsql is not installed',
  checks: 20,
});
