/** Message letters of protocol 3 as byte values, and the special first packets. */

/** Frontend messages. */
export const F = {
  bind: 0x42, // B
  close: 0x43, // C
  describe: 0x44, // D
  execute: 0x45, // E
  functionCall: 0x46, // F
  flush: 0x48, // H
  parse: 0x50, // P
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
  copyDone: 0x63, // c
  copyData: 0x64, // d
  copyFail: 0x66, // f
  password: 0x70, // p
} as const;

/** Backend messages. */
export const B = {
  parseComplete: 0x31, // 1
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  notification: 0x41, // A
  commandComplete: 0x43, // C
  dataRow: 0x44, // D
  error: 0x45, // E
  copyIn: 0x47, // G
  copyOut: 0x48, // H
  emptyQuery: 0x49, // I
  keyData: 0x4b, // K
  notice: 0x4e, // N
  authentication: 0x52, // R
  parameterStatus: 0x53, // S
  rowDescription: 0x54, // T
  functionResult: 0x56, // V
  copyBoth: 0x57, // W
  readyForQuery: 0x5a, // Z
  copyDone: 0x63, // c
  copyData: 0x64, // d
  noData: 0x6e, // n
  portalSuspended: 0x73, // s
  parameterDescription: 0x74, // t
  negotiateVersion: 0x76, // v
} as const;

/** Transaction status in ReadyForQuery. */
export const TX = {
  idle: 0x49, // I
  open: 0x54, // T
  failed: 0x45, // E
} as const;

export const protocol30 = 0x0003_0000;
export const cancelRequestCode = 80_877_102;
export const sslRequestCode = 80_877_103;
export const gssEncRequestCode = 80_877_104;

/** Limits as in PostgreSQL's libpq/libpq.h: startup packet, small messages, large ones (1 GB - 1). */
export const maxStartupBytes = 10_000;
export const smallMessageBytes = 10_000;
export const largeMessageBytes = 0x3fff_ffff;
