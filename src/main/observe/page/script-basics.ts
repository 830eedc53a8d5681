/** The page's script, part 1: texts, rows, sparklines, quantiles. It runs in the browser as it stands. */
export const scriptBasics = String.raw`
var historyLength = 60;
function byId(id) { return document.getElementById(id); }

/* An element with text; nothing that comes from outside is ever taken for markup. */
function element(name, className, text) {
  var made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
function setText(target, text) { if (target.textContent !== text) target.textContent = text; }
function setClass(target, name) { if (target.className !== name) target.className = name; }

var whole = new Intl.NumberFormat('en');
function count(value) { return whole.format(Math.round(value)); }
function rate(value) { return value >= 10 || value === 0 ? count(value) : value.toFixed(1); }
function percent(share) { return (100 * share).toFixed(share > 0.9995 || share === 0 ? 0 : 1) + ' %'; }
function bytes(value) {
  if (value >= 1073741824) return (value / 1073741824).toFixed(1) + ' GB';
  if (value >= 1048576) return (value / 1048576).toFixed(value < 10485760 ? 1 : 0) + ' MB';
  return value >= 1024 ? (value / 1024).toFixed(0) + ' kB' : Math.round(value) + ' B';
}
/* Milliseconds as a number and its unit. */
function duration(ms) {
  if (ms === null) return ['–', ''];
  if (ms >= 1000) return [(ms / 1000).toFixed(ms < 10000 ? 2 : 1), 's'];
  return [ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2), 'ms'];
}
function durationText(ms) { return duration(ms).join(' ').trim(); }
/* How long ago, in two units. */
function age(ms) {
  var seconds = Math.max(0, Math.round(ms / 1000));
  var units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  for (var i = 0; i < units.length; i++) {
    if (seconds < units[i][0] && i < 3) continue;
    var first = Math.floor(seconds / units[i][0]) + ' ' + units[i][1];
    var next = units[i + 1];
    var rest = next ? Math.floor((seconds % units[i][0]) / next[0]) : 0;
    return rest > 0 ? first + ' ' + rest + ' ' + next[1] : first;
  }
}
function agoText(ms, nowMs) { return ms > 0 ? age(nowMs - ms) : '–'; }
function timeText(ms) { return ms > 0 ? new Date(ms).toLocaleString() : ''; }

/* Draws values, the latest at the right; zero is the ground. */
var svgSpace = 'http://www.w3.org/2000/svg';
function drawSpark(svg, values) {
  var height = 28, points = [], top = Math.max.apply(null, values.concat([1e-9]));
  for (var i = 0; i < values.length; i++) {
    points.push((100 * (historyLength - values.length + i) / (historyLength - 1)).toFixed(2) + ',' + (height - 1 - (height - 4) * values[i] / top).toFixed(2));
  }
  if (!svg.firstChild) {
    ['polygon', 'polyline'].forEach(function (shape, i) {
      var made = document.createElementNS(svgSpace, shape);
      made.setAttribute('class', i ? 'edge' : 'area');
      svg.appendChild(made);
    });
  }
  var from = (100 * (historyLength - values.length) / (historyLength - 1)).toFixed(2);
  svg.firstChild.setAttribute('points', values.length > 1 ? from + ',' + height + ' ' + points.join(' ') + ' 100,' + height : '');
  svg.lastChild.setAttribute('points', values.length > 1 ? points.join(' ') : '');
}
function newSpark() {
  var svg = document.createElementNS(svgSpace, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', '0 0 100 28');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  return svg;
}
function push(values, value) {
  values.push(value);
  if (values.length > historyLength) values.shift();
  return values;
}

/* Histograms are arrays of counts; the zeros at their ends are left out. */
function addCounts(sum, counts) {
  for (var i = 0; i < counts.length; i++) sum[i] = (sum[i] || 0) + counts[i];
  return sum;
}
function minusCounts(later, earlier) {
  return Array.from(later, function (value, i) { return Math.max(0, (value || 0) - (earlier[i] || 0)); });
}
/* In ms; null when nothing was counted. Within a bucket values are taken for evenly spread. */
function quantile(counts, ends, share) {
  var all = counts.reduce(function (sum, one) { return sum + one; }, 0);
  if (all === 0) return null;
  var wanted = share * all, before = 0;
  for (var i = 0; i < counts.length; i++) {
    if (before + counts[i] >= wanted && counts[i] > 0) {
      var low = i === 0 ? 0 : ends[i - 1], high = i < ends.length ? ends[i] : low;
      return 1000 * (low + (high - low) * (wanted - before) / counts[i]);
    }
    before += counts[i];
  }
  return 1000 * ends[ends.length - 1];
}

/* The cells of a new row. columns: [name, class]. */
function newRow(columns) {
  var row = element('tr');
  columns.forEach(function (column) {
    var cell = element('td', column[1]);
    cell.dataset.name = column[0];
    row.appendChild(cell);
  });
  return row;
}
/* Shows rows of texts in a table's body, reusing what is there. paint(row, item) fills in one. */
function showRows(body, items, columns, paint, emptyText) {
  if (items.length === 0) {
    var row = element('tr'), cell = element('td', 'empty', emptyText);
    cell.colSpan = columns.length;
    row.appendChild(cell);
    body.replaceChildren(row);
    return;
  }
  if (body.querySelector('.empty')) body.replaceChildren();
  while (body.rows.length > items.length) body.deleteRow(-1);
  while (body.rows.length < items.length) body.appendChild(newRow(columns));
  items.forEach(function (item, i) { paint(body.rows[i], item); });
}
function fill(row, texts) {
  texts.forEach(function (text, i) {
    setText(row.cells[i], text);
    if (row.cells[i].classList.contains('long')) row.cells[i].title = text;
  });
}
`;
