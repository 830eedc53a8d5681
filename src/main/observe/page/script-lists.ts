/** The page's script, part 4: sessions, pools, workers; only the list that is looked at is asked for. */
export const scriptLists = String.raw`
/* Rows are cards where there is little room. */
var narrow = matchMedia('(max-width: 760px)'), lastNowMs = 0;
function pageRows() { return narrow.matches ? 20 : 50; }
var sessionColumns = [['Child', 'n'], ['State', ''], ['User', 'long'], ['Database', 'long'], ['Application', 'long wide'], ['Client', 'long wide'], ['Reads from', 'n'], ['Worker', 'n'], ['Since', 'n']];
var poolColumns = [['Database', 'long title'], ['User', 'long'], ['Node', 'n'], ['In use', 'n'], ['Idle', 'n'], ['Sessions served', 'n'], ['Oldest', 'n']];
var workerColumns = [['Thread', 'title wide'], ['Sessions', 'n'], ['Busy', 'n'], ['Delay p50', 'n'], ['Delay p99', 'n'], ['Longest', 'n'], ['Heap', 'n']];
var lists = {
  sessions: { path: '/sessions.json', offset: 0, filters: { text: 'session-filter', state: 'session-state' }, columns: sessionColumns, paint: paintSession, empty: 'no session', asked: 0 },
  pools: { path: '/pools.json', offset: 0, filters: { text: 'pool-filter' }, columns: poolColumns, paint: paintPool, empty: 'no server connection', asked: 0 }
};
var shownList = 'sessions';

function clientText(session) {
  if (session.host === '') return session.user === '' ? '–' : 'Unix socket';
  return (session.host.includes(':') ? '[' + session.host + ']' : session.host) + ':' + session.port;
}
function paintSession(row, session) {
  fill(row, [String(session.id), session.state, session.user || '–', session.database || '–', session.application || '–', clientText(session),
    session.node < 0 ? '–' : 'node ' + session.node, String(session.worker), agoText(session.sinceMs, lastNowMs)]);
  row.cells[8].title = timeText(session.sinceMs);
}
function paintPool(row, group) {
  fill(row, [group.database, group.user, String(group.node), count(group.used), count(group.idle), count(group.sessions), agoText(group.oldestMs, lastNowMs)]);
}
function paintWorker(row, thread) {
  fill(row, [thread.name, thread.sessions, thread.busy, durationText(thread.medianMs), durationText(thread.p99Ms), durationText(thread.maxMs), thread.heap]);
}
function showWorkers(status) {
  var threads = [Object.assign({ name: 'primary', sessions: '–', busy: '–', heap: '–' }, status.primaryThread)];
  status.workers.forEach(function (worker) {
    threads.push({ name: 'worker ' + worker.worker, sessions: count(worker.sessions), busy: percent(worker.utilization), medianMs: worker.medianMs, p99Ms: worker.p99Ms, maxMs: worker.maxMs, heap: bytes(worker.heapBytes) });
  });
  showRows(byId('workers').tBodies[0], threads, workerColumns, paintWorker, 'no thread');
  var states = Object.keys(status.children).map(function (state) { return count(status.children[state]) + ' ' + state; });
  setText(byId('children'), 'Children: ' + states.join(' · '));
}

function showList(name, page) {
  var list = lists[name], panel = byId('panel-' + name);
  if (page.rows.length === 0 && list.offset > 0) {
    list.offset = 0;
    return loadList(name);
  }
  showRows(byId(name).tBodies[0], page.rows, list.columns, list.paint, page.total === 0 ? list.empty : 'nothing matches');
  var from = list.offset + 1, to = list.offset + page.rows.length;
  setText(panel.querySelector('.pager .count'), (to < from ? 'none' : count(from) + '–' + count(to)) + ' of ' + count(page.matched) + (page.matched < page.total ? ' (' + count(page.total) + ' in all)' : ''));
  panel.querySelector('.previous').disabled = list.offset === 0;
  panel.querySelector('.next').disabled = list.offset + page.rows.length >= page.matched;
}
/* Resolves when the list is shown; an answer that a later question has overtaken is not. */
function loadList(name) {
  var list = lists[name], mine = ++list.asked, query = new URLSearchParams({ offset: list.offset, limit: pageRows() });
  Object.keys(list.filters).forEach(function (key) { query.set(key, byId(list.filters[key]).value.trim()); });
  return get(list.path + '?' + query).then(function (page) { if (mine === list.asked) showList(name, page); });
}
function reload(name, offset) {
  lists[name].offset = Math.max(0, offset);
  loadList(name).catch(function () { return undefined; });
}
Object.keys(lists).forEach(function (name) {
  var list = lists[name], panel = byId('panel-' + name);
  Object.keys(list.filters).forEach(function (key) { byId(list.filters[key]).addEventListener('input', function () { reload(name, 0); }); });
  panel.querySelector('.previous').addEventListener('click', function () { reload(name, list.offset - pageRows()); });
  panel.querySelector('.next').addEventListener('click', function () { reload(name, list.offset + pageRows()); });
});

var tabs = Array.from(document.querySelectorAll('[role=tab]'));
function chooseTab(tab) {
  tabs.forEach(function (other) {
    var chosen = other === tab;
    other.setAttribute('aria-selected', String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    byId(other.getAttribute('aria-controls')).hidden = !chosen;
  });
  shownList = tab.id.slice(4);
  if (lists[shownList]) reload(shownList, lists[shownList].offset);
}
tabs.forEach(function (tab, i) {
  tab.addEventListener('click', function () { chooseTab(tab); });
  tab.addEventListener('keydown', function (event) {
    var step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    var next = tabs[(i + step + tabs.length) % tabs.length];
    chooseTab(next);
    next.focus();
  });
});
`;
