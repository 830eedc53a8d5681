/** What pgloom answers to a statement for itself, before it is put into a protocol. */
import type { PgError } from '../../shared/errors.js';
import type { ReportTable } from '../../shared/report/report-table.js';

export type OwnAnswer =
  | { readonly type: 'rows'; readonly table: ReportTable }
  /** `change` is what it does to the session. */
  | { readonly type: 'done'; readonly tag: string; readonly notice?: string; readonly change?: () => void }
  | { readonly type: 'error'; readonly error: PgError };
