/** Connections: who may come in. */
import { bool, file, int } from './kinds.js';

export const authentication = {
  enable_pool_hba: bool(false, { change: 'reload', actedOn: true, meaning: 'let pool_hba.conf decide how clients log in' }),
  pool_passwd: { ...file('pool_passwd', { change: 'start', actedOn: true, meaning: 'file with the passwords of users; empty for none' }), masked: true },
  allow_clear_text_frontend_auth: bool(false, { change: 'reload', meaning: 'ask the client for its password in clear when pool_passwd does not hold it' }),
  authentication_timeout: int(60, { change: 'start', actedOn: true, unit: 's', meaning: 'time a client has to complete its login; 0 is no limit' }),
};
