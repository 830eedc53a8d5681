/** Connections: who may come in. */
import { bool, file, int, text } from './kinds.js';

/** What PgBouncer asks, too: no password of a role that may not log in, or not any more. */
const verifierQuery = 'SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid WHERE rolname = $1 AND rolcanlogin';

export const authentication = {
  enable_pool_hba: bool(false, { change: 'reload', actedOn: true, meaning: 'let pool_hba.conf decide how clients log in' }),
  pool_passwd: { ...file('pool_passwd', { change: 'start', actedOn: true, meaning: 'file with the passwords of users; empty for none' }), masked: true },
  allow_clear_text_frontend_auth: bool(false, { change: 'reload', actedOn: true, meaning: 'ask the client for its password in clear when pool_passwd does not hold it' }),
  authentication_timeout: int(60, { change: 'start', actedOn: true, unit: 's', meaning: 'time a client has to complete its login; 0 is no limit' }),
};

/** pgloom's own: passwords looked up at the server, and what guessing costs. */
export const ownAuthentication = {
  auth_user: text('', { change: 'reload', actedOn: true, meaning: 'role that looks up the passwords of users with auth_query; empty for none' }),
  auth_password: { ...text('', { change: 'reload', actedOn: true, meaning: 'its password; empty: pool_passwd is looked at' }), masked: true, secret: true },
  auth_dbname: text('postgres', { change: 'reload', actedOn: true, meaning: 'database that auth_query runs in' }),
  auth_query: text(verifierQuery, { change: 'reload', actedOn: true, meaning: 'gives the name and the stored password of user $1' }),
  auth_query_cache_lifetime: int(0, { change: 'reload', actedOn: true, unit: 's', meaning: 'how long its answer holds; with 0 every login asks' }),
  auth_failure_delay: int(250, { change: 'reload', actedOn: true, unit: 'ms', max: 10_000, meaning: 'wait before a failed login is answered; doubled up to 32 times as much' }),
};
