/**
 * Every error pgloom itself sends to a client: severity, SQLSTATE, text, and one line on when.
 *
 * The texts are Pgpool-II's where it has one (reference/semantics.md section 12). The codes are PostgreSQL's:
 * Pgpool-II sends XX000 for nearly everything, which no driver can act on.
 */

export type ErrorSeverity = 'ERROR' | 'FATAL' | 'PANIC';
export type NoticeSeverity = 'WARNING' | 'NOTICE' | 'DEBUG' | 'INFO' | 'LOG';

export interface ErrorExtra {
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** An error in PostgreSQL's sense. After FATAL and PANIC the connection is closed. */
export class PgError extends Error {
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(readonly severity: ErrorSeverity, readonly sqlstate: string, message: string, extra?: ErrorExtra) {
    super(message);
    this.name = 'PgError';
    this.detail = extra?.detail;
    this.hint = extra?.hint;
  }
}

/** The client, as messages about pool_hba.conf name it. */
export interface ClientIdentity {
  /** Address as text, '' for a Unix socket. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
}

const seeLog = 'see pgpool log for details';

function hbaFailure(client: ClientIdentity, what: string): PgError {
  const host = client.host === '' ? '[local]' : client.host;
  const detail = `${what} for host "${host}", user "${client.user}", database "${client.database}", SSL ${client.tls ? 'on' : 'off'}`;
  return new PgError('FATAL', '28000', 'client authentication failed', { detail, hint: seeLog });
}

export const errors = {
  /* ---- arrival ---- */

  /** All children are busy and the queue is full, or reserved_connections leaves no place. */
  tooManyClients: () => new PgError('FATAL', '53300', 'Sorry, too many clients already'),
  /** Every node is down or unused when a client arrives or a link is needed. Drivers try again after 57P03. */
  allNodesDown: () => new PgError('FATAL', '57P03', 'pgpool is not accepting any new connections', {
    detail: 'all backend nodes are down, pgpool requires at least one valid node',
    hint: 'repair the backend nodes and restart pgpool',
  }),
  /** There are nodes, but none that is known to be the primary, and the statement needs it. */
  noPrimary: () => new PgError('FATAL', '57P03', 'no primary node is available', {
    detail: 'none of the backend nodes that are up accepts writes',
  }),
  /** A client arrives while pgloom starts. */
  startingUp: () => new PgError('FATAL', '57P03', 'the database system is starting up'),
  /** A client arrives, or still waits in the queue, while pgloom shuts down. */
  shuttingDown: () => new PgError('FATAL', '57P03', 'the database system is shutting down'),

  /* ---- startup packet and protocol ---- */

  /** The startup packet's length is under 8 or over 10,000 bytes. */
  badStartupLength: () => new PgError('FATAL', '08P01', 'invalid length of startup packet'),
  /** The startup packet is not pairs of NUL-terminated texts with a terminator at its end. */
  badStartupLayout: () => new PgError('FATAL', '08P01', 'invalid startup packet layout: expected terminator as last byte'),
  /** The client asks for a major version other than 3. */
  unsupportedProtocol: (major: number, minor: number) =>
    new PgError('FATAL', '0A000', `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`),
  /** The startup packet names no user. */
  noUser: () => new PgError('FATAL', '28000', 'no PostgreSQL user name specified in startup packet'),
  /** A replication connection: pgloom passes none, as Pgpool-II. */
  noReplication: () => new PgError('FATAL', '0A000', 'replication connections are not supported'),
  /** A message that the protocol does not allow here, or whose content cannot be read. */
  protocolViolation: (what: string) => new PgError('FATAL', '08P01', what),
  /** A message letter that does not exist. */
  unknownMessage: (letter: number) => new PgError('FATAL', '08P01', `invalid frontend message type ${letter}`),
  /** A length word under 4, or over what is allowed for that message. */
  badMessageLength: (letter: string, lengthBytes: number) =>
    new PgError('FATAL', '08P01', 'invalid message length', { detail: `message "${letter}" claims ${lengthBytes} bytes` }),

  /* ---- client authentication ---- */

  /** No line of pool_hba.conf matches. */
  hbaNoEntry: (client: ClientIdentity) => hbaFailure(client, 'no pool_hba.conf entry'),
  /** The first line of pool_hba.conf that matches says reject. */
  hbaReject: (client: ClientIdentity) => hbaFailure(client, 'pool_hba.conf rejects connection'),
  /** The client's password is wrong, or there is none to compare it with (which of the two only the log says). */
  passwordFailed: (user: string) => new PgError('FATAL', '28P01', `password authentication failed for user "${user}"`),
  /** The SCRAM exchange was tampered with, or belongs to another TLS connection. */
  scramFailed: (what: string) => new PgError('FATAL', '28000', what),
  /** The rule wants a certificate of the client. */
  certificateNeeded: () => new PgError('FATAL', '28000', 'connection requires a valid client certificate'),
  /** The certificate is another user's. */
  certificateFailed: (user: string) => new PgError('FATAL', '28000', `certificate authentication failed for user "${user}"`),
  /** auth_query could not be asked. */
  authQueryFailed: () => new PgError('FATAL', '08006', 'the password could not be looked up', { hint: seeLog }),
  /** authentication_timeout is over before the login is. */
  authenticationTimeout: () => new PgError('FATAL', '57014', 'canceling authentication due to timeout'),

  /* ---- the end of a session ---- */

  /** `client_idle_limit` seconds without a message. The code is PostgreSQL's idle_session_timeout. */
  clientIdleLimit: (limitSeconds: number) => new PgError('FATAL', '57P05', 'terminating connection due to client_idle_limit', {
    detail: `child connection forced to terminate due to client_idle_limit:${limitSeconds} is reached`,
  }),
  /** client_idle_limit_in_recovery, during online recovery; -1 ends the session at once. */
  clientIdleLimitInRecovery: (limitSeconds: number) => new PgError('FATAL', '57P05', 'connection terminated due to online recovery',
    limitSeconds < 0 ? {} : { detail: `child connection forced to terminate due to client_idle_limit_in_recovery:${limitSeconds} is reached` }),
  /** Fast shutdown, or an administrator ends this child. */
  adminShutdown: () => new PgError('FATAL', '57P01', 'terminating connection due to administrator command'),
  /** The worker thread that serves this client has crashed. */
  workerCrashed: () => new PgError('FATAL', '57P02', 'terminating connection because of crash of another session', {
    detail: 'a worker thread of pgpool ended abnormally',
    hint: 'In a moment you should be able to reconnect to the database and repeat your command.',
  }),

  /* ---- nodes ---- */

  /** A link to a node cannot be made. */
  backendConnectFailed: (node: number, reason: string) => new PgError('FATAL', '08006', 'failed to create a backend connection', {
    detail: `could not connect to DB node ${node}: ${reason}`,
  }),
  /** A node closes the link in the middle of a session. */
  backendEof: (node: number) => new PgError('FATAL', '08006', `unable to read data from DB node ${node}`, { detail: 'EOF encountered with backend' }),
  /** The link to a node breaks while reading or writing. */
  backendBroken: (node: number, reason: string) => new PgError('FATAL', '08006', `unable to read data from DB node ${node}`, { detail: reason }),
  /** A node says something the protocol does not allow; the link is closed, not reused. */
  backendProtocol: (node: number, what: string) => new PgError('FATAL', '08P01', `unexpected message from DB node ${node}`, { detail: what }),
  /** Somebody ended the backend with pg_terminate_backend. */
  backendTerminated: (node: number) =>
    new PgError('FATAL', '57P01', `connection to postmaster on DB node ${node} was lost due to pg_terminate_backend`),
  /** Another node became the primary while the session had state on the old one. */
  primaryChanged: () => new PgError('FATAL', '57P01', 'terminating connection because the primary node has changed', {
    hint: 'In a moment you should be able to reconnect to the database and repeat your command.',
  }),
  /** The node this session works on was taken out of service. */
  nodeDown: (node: number) => new PgError('FATAL', '08006', `connection to DB node ${node} was lost`, { detail: 'the node is down' }),
  /** A standby ended the session because replay needed what it held. */
  recoveryConflict: () => new PgError('FATAL', '40001', 'connection was terminated due to conflict with recovery', {
    hint: 'In a moment you should be able to reconnect to the database and repeat your command.',
  }),

  /* ---- statements that pgloom answers itself; the session goes on ---- */

  /** A statement for pgloom inside a failed transaction. */
  inFailedTransaction: () =>
    new PgError('ERROR', '25P02', 'current transaction is aborted, commands ignored until end of transaction block'),
  /** Bind, Describe, EXECUTE or DEALLOCATE of a statement this session does not have. */
  noPreparedStatement: (name: string) => new PgError('ERROR', '26000', name === ''
    ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`),
  /** Parse or PREPARE with a name in use. */
  duplicatePreparedStatement: (name: string) => new PgError('ERROR', '42P05', `prepared statement "${name}" already exists`),
  /** SHOW POOL_POOLS of a large pgloom in the extended protocol. */
  tooManyRows: (count: number) => new PgError('ERROR', '54000', `${count} rows are too many for the extended protocol`, { hint: 'Use a simple query.' }),
  /** PGPOOL SET or RESET of a parameter that does not exist. */
  unrecognizedParameter: (name: string) => new PgError('ERROR', '42704', `unrecognized configuration parameter "${name}"`),
  /** PGPOOL SHOW of one. */
  unknownParameter: (name: string) => new PgError('ERROR', '42704', `config variable "${name}" not found`),
  /** PGPOOL SET of a parameter that cannot change in a session. */
  fixedParameter: (name: string) =>
    new PgError('ERROR', '55P02', `invalid Context, value for parameter "${name}" cannot be changed`),
  /** PGPOOL SET with a value outside the parameter's range. */
  badParameterValue: (message: string) => new PgError('ERROR', '22023', message),
  /** A statement or message that pgloom knows and cannot do. */
  notSupported: (what: string) => new PgError('ERROR', '0A000', `${what} is not supported`),
  /** A fault of pgloom itself; the log has the stack. */
  internal: () => new PgError('FATAL', 'XX000', 'internal error of pgpool', { hint: seeLog }),
} as const;

/** Field code, text, NUL. A NUL inside the text would end the field early and make fields of the rest. */
function field(code: string, text: string): string {
  return `${code}${text.replaceAll('\0', '')}\0`;
}

function encodeFields(letter: 'E' | 'N', severity: string, sqlstate: string, message: string, extra: ErrorExtra): Buffer {
  let fields = field('S', severity) + field('V', severity) + field('C', sqlstate) + field('M', message);
  if (extra.detail !== undefined) fields += field('D', extra.detail);
  if (extra.hint !== undefined) fields += field('H', extra.hint);
  const sizeBytes = Buffer.byteLength(fields);
  const packet = Buffer.allocUnsafe(1 + 4 + sizeBytes + 1);
  packet.write(letter, 0, 'latin1');
  packet.writeUInt32BE(4 + sizeBytes + 1, 1);
  packet.write(fields, 5);
  packet[5 + sizeBytes] = 0;
  return packet;
}

/** The whole ErrorResponse message. */
export function encodeError(error: PgError): Buffer {
  return encodeFields('E', error.severity, error.sqlstate, error.message, error);
}

/** The whole NoticeResponse message. */
export function encodeNotice(severity: NoticeSeverity, sqlstate: string, message: string, extra: ErrorExtra = {}): Buffer {
  return encodeFields('N', severity, sqlstate, message, extra);
}
