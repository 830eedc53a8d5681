/** The page's script, part 3: tiles and the table of nodes. */
export const scriptNodes = String.raw`
var windowLooks = 15, looks = [], ends = [], nodeRows = new Map();
var histories = { clients: [], waiting: [], rate: [], latency: [], pool: [], loop: [] };
var nodeColumns = [['Node', 'title wide long'], ['State'], ['Role'], ['Weight', 'n'], ['Delay', 'n'], ['Reads/s', 'n'], ['Writes/s', 'n'], ['Statements', ''],
  ['p50', 'n'], ['p95', 'n'], ['Errors', 'n'], ['Health checks', 'long'], ['Orders', 'orders']];
var stateClass = { up: 'badge good', waiting: 'badge good', down: 'badge bad', unused: 'badge' };

function tile(name, figure, unit, hint, value) {
  var box = byId('tile-' + name);
  setText(box.querySelector('.value'), figure);
  setText(box.querySelector('.unit'), unit);
  if (hint !== null) setText(box.querySelector('.hint'), hint);
  drawSpark(box.querySelector('svg'), push(histories[name], value));
}

/* What a look at the counters keeps of them. */
function lookOf(status) {
  var look = { atMs: status.nowMs, hits: status.pool.hits, misses: status.pool.misses, statements: 0, latency: [], nodes: new Map() };
  status.nodes.forEach(function (node) {
    var c = node.counts, latency = [];
    Object.keys(node.latency).forEach(function (kind) { addCounts(latency, node.latency[kind].counts); });
    var writes = c.insert + c.update + c.delete + c.ddl;
    look.nodes.set(node.id, { reads: c.select, writes: writes, all: c.select + writes + c.other, latency: latency });
    look.statements += c.select + writes + c.other;
    addCounts(look.latency, latency);
  });
  return look;
}
function between(now, before, seconds) { return seconds > 0 ? Math.max(0, now - before) / seconds : 0; }

function tailText(p95, p99) {
  return 'p95 ' + p95[0] + (p95[1] === p99[1] ? '' : ' ' + p95[1]) + ' · p99 ' + p99.join(' ');
}

function showTiles(status, now, last, oldest) {
  var seconds = (now.atMs - last.atMs) / 1000, c = status.clients;
  tile('clients', count(c.connected), 'of ' + count(c.max), count(status.children.executing) + ' executing', c.connected);
  tile('waiting', count(c.waiting), 'of ' + count(c.waitingMax), count(c.refused) + ' refused', c.waiting);
  var perSecond = between(now.statements, last.statements, seconds);
  tile('rate', rate(perSecond), 'per second', null, perSecond);
  var spent = minusCounts(now.latency, oldest.latency);
  var p50 = duration(quantile(spent, ends, 0.5)), p95 = quantile(spent, ends, 0.95);
  tile('latency', p50[0], p50[1] + (p95 === null ? '' : ' median'), p95 === null ? 'of the last 30 s' : tailText(duration(p95), duration(quantile(spent, ends, 0.99))), p95 || 0);
  var hits = now.hits - oldest.hits, all = hits + now.misses - oldest.misses;
  if (all === 0) { hits = now.hits; all = hits + now.misses; }
  tile('pool', all === 0 ? '–' : percent(hits / all), all === 0 ? '' : 'hits', count(now.hits) + ' hits · ' + count(now.misses) + ' misses', all === 0 ? 0 : hits / all);
  var delays = status.workers.concat([status.primaryThread]).map(function (thread) { return thread.maxMs; });
  var longest = Math.max.apply(null, delays), shown = duration(longest);
  tile('loop', shown[0], shown[1], 'at most · ' + bytes(status.memoryBytes) + ' memory', longest);
}

function makeNodeRow(node) {
  var row = newRow(nodeColumns), badge = element('span', 'badge'), spark = newSpark();
  row.cells[1].appendChild(badge);
  row.cells[7].appendChild(spark);
  return { row: row, badge: badge, spark: spark, rates: [], orders: '' };
}
function delayText(node) {
  if (node.role === 'primary' || node.role === 'main') return '–';
  if (!node.delay.isTime) return bytes(node.delay.value);
  return durationText(node.delay.value / 1000);
}
function healthText(health) {
  if (health.total === 0) return 'none';
  return count(health.success) + ' good' + (health.fail > 0 ? ' · ' + count(health.fail) + ' failed' : '') + ' · ' + durationText(health.averageMs);
}
function ordersFor(node) {
  if (node.status === 'down') return 'attach';
  if (node.status === 'unused') return '';
  return node.role === 'standby' ? 'promote detach' : 'detach';
}
function showNode(node, now, last, oldest) {
  var known = nodeRows.get(node.id);
  if (!known) nodeRows.set(node.id, known = makeNodeRow(node));
  var seconds = (now.atMs - last.atMs) / 1000, mine = now.nodes.get(node.id), cells = known.row.cells;
  var before = last.nodes.get(node.id) || mine, first = oldest.nodes.get(node.id) || mine;
  var spent = minusCounts(mine.latency, first.latency);
  setText(cells[0], node.id + ' · ' + (node.host || 'local') + ':' + node.port);
  cells[0].title = node.host + ':' + node.port;
  setText(known.badge, node.detached && node.status === 'down' ? 'detached' : node.status);
  setClass(known.badge, stateClass[node.status] || 'badge');
  known.badge.title = node.changedMs > 0 ? 'since ' + timeText(node.changedMs) : '';
  setText(cells[2], node.role);
  setText(cells[3], percent(node.weight));
  setText(cells[4], delayText(node));
  cells[4].title = [node.replicationState, node.syncState].filter(Boolean).join(', ');
  setText(cells[5], rate(between(mine.reads, before.reads, seconds)));
  setText(cells[6], rate(between(mine.writes, before.writes, seconds)));
  drawSpark(known.spark, push(known.rates, between(mine.all, before.all, seconds)));
  setText(cells[8], durationText(quantile(spent, ends, 0.5)));
  setText(cells[9], durationText(quantile(spent, ends, 0.95)));
  setText(cells[10], count(node.counts.error + node.counts.fatal + node.counts.panic));
  var health = healthText(node.health);
  setText(cells[11], health);
  cells[11].title = health + (node.health.lastFailMs > 0 ? ', last failure ' + timeText(node.health.lastFailMs) : '');
  var orders = ordersFor(node);
  if (orders !== known.orders) {
    known.orders = orders;
    cells[12].replaceChildren.apply(cells[12], orders === '' ? [] : orders.split(' ').map(function (name) { return orderButton(name, node.id); }));
  }
  setClass(known.row, node.status === 'down' ? 'down' : '');
  return known.row;
}
function showNodes(status, now, last, oldest) {
  var wanted = byId('node-filter').value.trim().toLowerCase(), body = byId('nodes').tBodies[0];
  byId('node-filter-box').hidden = status.nodes.length <= 8 && wanted === '';
  byId('node-frame').classList.toggle('many', status.nodes.length > 8);
  var ids = new Set(status.nodes.map(function (node) { return node.id; }));
  nodeRows.forEach(function (known, id) { if (!ids.has(id)) { known.row.remove(); nodeRows.delete(id); } });
  var up = 0, shown = 0;
  status.nodes.forEach(function (node) {
    var row = showNode(node, now, last, oldest);
    if (node.status === 'up' || node.status === 'waiting') up += 1;
    var matches = (node.id + ' ' + node.host + ':' + node.port + ' ' + node.status + ' ' + node.role).toLowerCase().includes(wanted);
    row.hidden = !matches;
    if (matches) shown += 1;
    if (body.rows[body.rows.length - 1] !== row && row.parentNode !== body) body.appendChild(row);
  });
  setText(byId('node-count'), up + ' of ' + status.nodes.length + ' up' + (shown < status.nodes.length ? ' · ' + shown + ' shown' : ''));
}
function showOverview(status) {
  if (looks.length > 0 && (looks[0].startedMs !== status.startedMs)) looks = [];
  ends = status.bucketEndsSeconds;
  var now = lookOf(status);
  now.startedMs = status.startedMs;
  var last = looks[looks.length - 1] || now, oldest = looks[0] || now;
  showTiles(status, now, last, oldest);
  showNodes(status, now, last, oldest);
  looks.push(now);
  if (looks.length > windowLooks) looks.shift();
}
`;
