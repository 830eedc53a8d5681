/** Asks the router where a statement goes, and the catalog first when the router has to know more about it. */
import { askFirst } from '../route/router.js';
import type { Plan, Verdict } from '../sql/plan.js';
import type { Statement } from './statement.js';
import type { Traffic } from './traffic.js';

export class Judge {
  /** Verdicts that must not be remembered longer than for the statement or the batch that waits for them. */
  private readonly verdicts = new Map<Plan, Verdict>();

  constructor(private readonly traffic: Traffic) {}

  /** A node id, `nowhere`, or `askFirst`: then the client waits and asks again when the catalog has answered. */
  nodeFor(plan: Plan, mayLeave: boolean): number {
    const { router, supply } = this.traffic;
    const executed = this.executedBy(plan);
    if (executed !== null) {
      const node = this.nodeFor(executed.plan, executed.mayLeave);
      return executed.unfitFor === node && !router.readerFailed ? router.primaryNode : node;
    }
    if (plan.deallocates !== null && plan.statements === 1 && !router.readerFailed && !router.primaryFailed && !router.isolated) return supply.nodeWith(plan.deallocates, router.primaryNode);
    const node = router.nodeFor(plan, mayLeave, this.verdicts.size === 0 ? undefined : this.verdicts.get(plan));
    return node === askFirst ? this.ask(plan) : node;
  }

  /** The statement that an EXECUTE runs, if nothing in its arguments matters. */
  executedBy({ executes, functions }: Plan): Statement | null {
    if (executes === null || functions.length > 0) return null;
    const statement = this.traffic.statementOf(executes);
    // The text of a prepared statement may be an EXECUTE itself, even of its own name.
    return statement === undefined || statement.plan.executes !== null ? null : statement;
  }

  private ask(plan: Plan): number {
    this.traffic.waitFor('facts');
    const answered = (verdict: Verdict): void => {
      this.verdicts.set(plan, verdict);
      this.traffic.factsArrived();
    };
    // Without an answer the statement is not proven harmless.
    this.traffic.supply.askVerdict(plan).then(answered, () => answered('primary'));
    return askFirst;
  }

  /** What was asked for has its node. */
  forget(): void {
    if (this.verdicts.size > 0) this.verdicts.clear();
  }
}
