import type { ClientAccess } from './client-access.js';
import type { RunningTarget, Target } from './targets/target.js';

/** Starts a target for so many clients that come in this way. */
export type StartTarget = (target: Target, clients: number, access: ClientAccess) => Promise<RunningTarget>;

function keyOf(target: Target, { encrypted, scram }: ClientAccess): string {
  return `${target.name}${encrypted ? ' tls' : ''}${scram ? ' scram' : ''}`;
}

/** Targets that stay up from workload to workload, one for each way of coming in, started when first needed. */
export class StandingTargets {
  private readonly running = new Map<string, RunningTarget>();
  private readonly start: StartTarget;
  private readonly clients: number;

  constructor(start: StartTarget, clients: number) {
    this.start = start;
    this.clients = clients;
  }

  async get(target: Target, access: ClientAccess): Promise<RunningTarget> {
    const key = keyOf(target, access);
    let found = this.running.get(key);
    if (found === undefined) {
      found = await this.start(target, this.clients, access);
      this.running.set(key, found);
    }
    return found;
  }

  /** After a failure the target may be in any state: the next one who asks gets a new one. */
  async discard(target: Target, access: ClientAccess): Promise<void> {
    const key = keyOf(target, access);
    const found = this.running.get(key);
    this.running.delete(key);
    await found?.stop();
  }

  async stopAll(): Promise<void> {
    for (const target of this.running.values()) await target.stop();
    this.running.clear();
  }
}
