/** The way of a worker's sessions to the primary thread, which knows who may call the functions of pgpool_adm, and does the work. */
import { randomUUID } from 'node:crypto';
import { pack, unpack } from 'msgpackr';
import type { Broadcast } from '../../shared/messages.js';
import { pcpFunctionNames, type PcpAnswer, type PcpRequest } from '../../shared/pcp-functions.js';
import type { Worker } from '../worker.js';

const equals = 'OPERATOR(pg_catalog.=)';
/**
 * Asks a database for those of the functions that it has itself, in whichever schema: the search path is the server's business. It is
 * asked for each statement: they are few, and an extension comes and goes behind pgloom's back too.
 */
export const namesQuestion = `SELECT DISTINCT p.proname::pg_catalog.text FROM pg_catalog.pg_proc AS p WHERE p.proname ${equals} ANY (ARRAY[${
  pcpFunctionNames.map((name) => `'${name}'`).join(',')}]::pg_catalog.name[])`;

export class PcpDesk {
  private readonly waiting = new Map<string, (answer: PcpAnswer) => void>();

  constructor(private readonly worker: Worker) {}

  /** Asks the primary thread, which always answers; a wrong password after some seconds. */
  request(request: PcpRequest, done: (answer: PcpAnswer) => void): void {
    const id = randomUUID();
    this.waiting.set(id, done);
    this.worker.report({ type: 'administer', worker: this.worker.row, request: id, packed: pack(request) });
  }

  received({ request, packed }: Extract<Broadcast, { type: 'administered' }>): void {
    const done = this.waiting.get(request);
    this.waiting.delete(request);
    done?.(unpack(packed) as PcpAnswer);
  }
}
