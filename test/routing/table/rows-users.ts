/** user_redirect_preference_list, which Debian's Pgpool-II does not have yet. */
import { rows, type RowGroup } from './row.js';

export const userGroups: readonly RowGroup[] = [
  {
    topic: 'user_redirect_preference_list',
    newerThanOracle: true,
    settings: {
      user_redirect_preference_list: 'row_writer:primary,row_reader:2',
      database_redirect_preference_list: 'template1:primary',
      app_name_redirect_preference_list: 'standby.*:standby',
    },
    rows: [
      ...rows('primary', ['select 1', 'select * from items', 'show work_mem'], { login: { user: 'row_writer' } }),
      ...rows('node 2', ['select 1', 'select * from items', 'show work_mem'], { login: { user: 'row_reader' } }),
      ...rows('primary', ['insert into scratch values (1)'], { login: { user: 'row_reader' } }),
      ...rows('reader', ['select 1']),
      ...rows('primary', ['select 1'], { login: { user: 'row_reader', database: 'template1' } }),
      ...rows('reader', ['select 1'], { login: { user: 'row_writer', application: 'standby' } }),
      ...rows('reader', ['select 1'], { login: { user: 'row_writer', application: 'standby', database: 'template1' } }),
    ],
  },
];
