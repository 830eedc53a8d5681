/** The page's script, part 5: asking every two seconds while somebody looks, the theme. */
export const scriptMain = String.raw`
var pollMs = 2000, limitMs = 10000, timer = 0, asking = false, lastStatus = null;

function get(path) {
  return fetch(path, { credentials: 'same-origin', signal: AbortSignal.timeout(limitMs) }).then(function (answer) {
    if (!answer.ok) throw new Error('status ' + answer.status);
    return answer.json();
  });
}
function pill(text, className) {
  setText(byId('pill'), text);
  setClass(byId('pill'), 'pill ' + className);
}
function show(status) {
  lastStatus = status;
  lastNowMs = status.nowMs;
  setText(byId('about'), status.version + ' · ' + status.mode.replace(/_/g, ' ') + ' · up ' + age(status.nowMs - status.startedMs));
  if (status.reasons.length > 0) pill('not ready: ' + status.reasons.join(', '), 'bad');
  else if (status.notes.length > 0) pill(status.notes.join(', '), 'warn');
  else pill('ready', 'good');
  showOverview(status);
  showWorkers(status);
}
function ask() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  get('/status.json').then(function (status) {
    show(status);
    document.body.classList.remove('stale');
    return lists[shownList] ? loadList(shownList) : undefined;
  }).catch(function () {
    pill('no answer from pgloom, trying again', 'bad');
    document.body.classList.add('stale');
  }).finally(function () {
    asking = false;
    if (!document.hidden) timer = setTimeout(ask, pollMs);
  });
}
askAgain = ask;
document.addEventListener('visibilitychange', function () { if (!document.hidden) ask(); });
byId('node-filter').addEventListener('input', function () { if (lastStatus) showNodes(lastStatus, looks[looks.length - 1], looks[looks.length - 2] || looks[0], looks[0]); });

var darkly = matchMedia('(prefers-color-scheme: dark)');
function isDark() {
  var chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : darkly.matches;
}
function nameTheme() {
  setText(byId('theme'), isDark() ? 'Light' : 'Dark');
  byId('theme').setAttribute('aria-label', (isDark() ? 'Light' : 'Dark') + ' theme');
}
byId('theme').addEventListener('click', function () {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  nameTheme();
});
darkly.addEventListener('change', nameTheme);
nameTheme();
ask();
`;
