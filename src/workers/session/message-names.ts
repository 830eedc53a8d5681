/** What the log calls the messages of protocol 3: the names of PostgreSQL's documentation, for clients' as Pgpool-II has them. */
import { B, F } from '../../shared/protocol/letters.js';

/** What a client may send once it is logged in. */
export const clientMessageNames: ReadonlyMap<number, string> = new Map<number, string>([
  [F.query, 'Query'], [F.parse, 'Parse'], [F.bind, 'Bind'], [F.describe, 'Describe'], [F.execute, 'Execute'], [F.close, 'Close'],
  [F.sync, 'Sync'], [F.flush, 'Flush'], [F.functionCall, 'FunctionCall'], [F.terminate, 'Terminate'],
  [F.copyData, 'CopyData'], [F.copyDone, 'CopyDone'], [F.copyFail, 'CopyFail'],
]);

/** What a server may send once it has let us in. */
export const backendMessageNames: ReadonlyMap<number, string> = new Map<number, string>([
  [B.parseComplete, 'ParseComplete'], [B.bindComplete, 'BindComplete'], [B.closeComplete, 'CloseComplete'],
  [B.rowDescription, 'RowDescription'], [B.parameterDescription, 'ParameterDescription'], [B.noData, 'NoData'],
  [B.dataRow, 'DataRow'], [B.portalSuspended, 'PortalSuspended'], [B.commandComplete, 'CommandComplete'],
  [B.emptyQuery, 'EmptyQueryResponse'], [B.functionResult, 'FunctionCallResponse'], [B.readyForQuery, 'ReadyForQuery'],
  [B.copyIn, 'CopyInResponse'], [B.copyOut, 'CopyOutResponse'], [B.copyBoth, 'CopyBothResponse'], [B.copyData, 'CopyData'], [B.copyDone, 'CopyDone'],
  [B.error, 'ErrorResponse'], [B.notice, 'NoticeResponse'], [B.notification, 'NotificationResponse'], [B.parameterStatus, 'ParameterStatus'],
]);
