/** How many children wait for clients. */
import { int, words } from './kinds.js';

export const processManagement = {
  process_management_mode: words({ static: 1, dynamic: 2 }, 'static', { change: 'reload', actedOn: true, meaning: 'static: all children from the start; dynamic: they come and go' }),
  process_management_strategy: words({ aggressive: 1, gentle: 2, lazy: 3 }, 'gentle', { change: 'reload', actedOn: true, meaning: 'dynamic: how soon spare children are stopped' }),
  min_spare_children: int(5, { change: 'reload', actedOn: true, min: 1, meaning: 'dynamic: start children when fewer than this are idle' }),
  max_spare_children: int(10, { change: 'reload', actedOn: true, min: 1, meaning: 'dynamic: stop children when more than this are idle' }),
};
