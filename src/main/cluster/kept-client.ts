/** A connection to a node that is kept between questions. One question at a time; opened anew when it is broken. */
import { NodeClient, NodeError, type NodeLogin, type Row } from './node-client.js';
import { connectLimitOf, limitOf } from './node-question.js';
import type { Backend } from '../../shared/settings.js';

export class KeptClient {
  private client: NodeClient | null = null;
  private asking = false;
  private readonly stop = new AbortController();

  constructor(private readonly backend: Backend, private readonly login: NodeLogin) {}

  /** A question is still without its answer. */
  get busy(): boolean {
    return this.asking;
  }

  /** The login, where there has to be one, and the answer have health_check_timeout each. @throws NodeError */
  async ask(sql: string): Promise<Row[]> {
    if (this.asking) throw new NodeError('the last question is still without an answer', false);
    this.asking = true;
    try {
      const client = await this.opened();
      return await client.query(sql, limitOf(this.backend));
    } catch (error) {
      this.client?.close();
      this.client = null;
      throw error;
    } finally {
      this.asking = false;
      if (this.stop.signal.aborted) this.close();
    }
  }

  /** Ends the connection, also one that is being made. */
  close(): void {
    this.stop.abort();
    this.client?.close();
    this.client = null;
  }

  private async opened(): Promise<NodeClient> {
    if (this.client !== null && !this.client.closed) return this.client;
    const limitMs = limitOf(this.backend);
    this.client = await NodeClient.open(this.backend, this.login, Math.min(limitMs, connectLimitOf(this.backend)), limitMs, this.stop.signal);
    return this.client;
  }
}
