/**
 * What applications send. `#` stands for a number that differs from one execution to the next, `@` for a name's end that differs from
 * one statement to the next.
 */

const columns = Array.from({ length: 30 }, (_, n) => `column_number_${n}`);

const report = `
select r.region_name, s.store_name@, date_trunc('month', o.ordered_at) as month, count(distinct o.id) as orders, count(distinct c.id) as customers,
       sum(l.quantity) as quantity, sum(l.quantity * l.unit_price) as revenue, sum(l.quantity * (l.unit_price - p.cost)) as margin,
       avg(l.quantity * l.unit_price) filter (where l.discount = 0) as undiscounted, max(o.ordered_at) as last_order,
       rank() over (partition by r.id order by sum(l.quantity * l.unit_price) desc) as rank_in_region
from orders o
join order_lines l on l.order_id = o.id
join products p on p.id = l.product_id
join customers c on c.id = o.customer_id
join stores s on s.id = o.store_id
join regions r on r.id = s.region_id
left join (select order_id, sum(amount) as refunded from refunds where refunded_at >= '2026-01-01' and state <> 'rejected' group by order_id) f on f.order_id = o.id
where o.ordered_at >= '2026-01-01' and o.ordered_at < '2026-07-01'
  and o.state in ('paid', 'shipped', 'delivered')
  and c.country in ('DE', 'AT', 'CH', 'FR', 'IT', 'NL', 'BE')
  and s.id = #
  and coalesce(f.refunded, 0) < 0.5 * o.total
  and exists (select 1 from shipments h where h.order_id = o.id and h.delivered_at is not null and h.carrier like 'D%')
  and not exists (select 1 from complaints m where m.order_id = o.id and m.closed_at is null)
  and p.category_id in (select id from categories where path like '/food/%' or path like '/drinks/%')
group by r.region_name, r.id, s.store_name@, date_trunc('month', o.ordered_at)
having sum(l.quantity * l.unit_price) > 1000 and count(distinct o.id) > 10
order by r.region_name, revenue desc, month
limit 100 offset #`;

const fiveTables = `select o.id, o.ordered_at, c.name, c.city@, p.title, l.quantity, l.unit_price, s.name as store
 from orders o join order_lines l on l.order_id = o.id join products p on p.id = l.product_id join customers c on c.id = o.customer_id
 join stores s on s.id = o.store_id where o.customer_id = # and o.state = 'paid' order by o.ordered_at desc limit 20`;

export const statements: readonly (readonly [name: string, text: string])[] = [
  ['read by key', 'SELECT abalance@ FROM pgbench_accounts WHERE aid = #'],
  ['read by key, parameters', 'select id, name, email@, created_at from users where id = $1 and tenant_id = $2'],
  ['ORM read', 'select "users"."id", "users"."name", "users"."email@", "users"."created_at", "users"."updated_at" from "users" where ("users"."tenant_id" = # and "users"."state" = \'active\') order by "users"."id" limit 50'],
  ['update', 'UPDATE pgbench_accounts SET abalance@ = abalance@ + # WHERE aid = #'],
  ['insert, 5 columns', "INSERT INTO pgbench_history@ (tid, bid, aid, delta, mtime) VALUES (#, #, #, #, CURRENT_TIMESTAMP)"],
  ['insert, 30 columns', `insert into wide@ (${columns.join(', ')}) values (${columns.map((_, n) => (n % 3 === 0 ? '#' : n % 3 === 1 ? "'some text #'" : 'null')).join(', ')})`],
  ['join of 5 tables', fiveTables],
  ['reporting, 2 kB', report.trim()],
  ['call of functions', "select lower(name@), upper(city), coalesce(phone, 'none'), now() from customers where length(name) > #"],
  ['IN list, 100 numbers', `select id, name@ from items where id in (${Array.from({ length: 100 }, (_, n) => `#${n}`).join(', ')})`],
  ['begin', 'begin'],
];

/** The statement with one number for all literals and, for `ending` not '', with names that no other has. */
export function textOf(statement: string, number: number, ending = ''): string {
  return statement.replaceAll('#', String(number)).replaceAll('@', ending);
}
