/** Piscina's types by the names they are used under here; it does not export all of them. */
import { Piscina, type TaskQueue } from 'piscina';

type Options = NonNullable<ConstructorParameters<typeof Piscina>[0]>;

/** A worker thread as the load balancer and the pool's events show it. */
export type PoolWorker = Parameters<NonNullable<Options['loadBalancer']>>[1][number];

/** What lies in a task queue: Piscina's own business. */
export type QueuedTask = Parameters<TaskQueue['push']>[0];

export { Piscina, type TaskQueue };
