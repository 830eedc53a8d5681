/** What the admission queue has done since the start; for metrics and the status page. */
import { WaitHistogram } from '../../shared/memory/wait-histogram.js';

export class AdmissionCounts {
  /** Clients that came, the refused ones among them. */
  accepted = 0;
  /** Told that there is no room, or that pgloom stops. */
  refused = 0;
  /** How long those waited in the queue who then got a child; who found one free at once is not in it. */
  readonly waits = new WaitHistogram();
}
