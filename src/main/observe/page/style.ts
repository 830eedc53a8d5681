/** The page's style: system fonts, two themes, tables that become cards on a narrow screen. */

const light = `--back:#f4f6f8;--card:#fff;--text:#1a232e;--muted:#566373;--line:#dbe1e8;--soft:#edf1f5;--accent:#0b6b80;--on-accent:#fff;--good:#14713f;--good-back:#e0f3e8;--warn:#855300;--warn-back:#fbeed3;--bad:#a8231a;--bad-back:#fbe4e2;`;
const dark = `--back:#10151b;--card:#171e26;--text:#e4e9ef;--muted:#9ba8b7;--line:#2a343f;--soft:#1f2832;--accent:#62bfd3;--on-accent:#0c1318;--good:#6bcb95;--good-back:#16362a;--warn:#e3b55a;--warn-back:#3a2e14;--bad:#f4938a;--bad-back:#41201e;`;

const ground = `
:root{${light}color-scheme:light}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}color-scheme:dark}}
:root[data-theme=dark]{${dark}color-scheme:dark}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
h1,h2,h3,p{margin:0}
h1{font-size:18px;letter-spacing:-.01em}
h2{font-size:15px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
header,main,footer{max-width:1400px;margin:0 auto;padding:0 20px}
header{display:flex;align-items:center;gap:6px 14px;flex-wrap:wrap;padding-top:14px;padding-bottom:14px}
#about{color:var(--muted);flex:1 1 200px}
main{display:grid;gap:22px}
main>section{min-width:0}
footer{color:var(--muted);padding-top:18px;padding-bottom:28px;font-size:13px}
a{color:var(--accent)}
button,input,select{font:inherit;color:inherit}
button{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 10px;cursor:pointer}
button:hover:not(:disabled){border-color:var(--accent);color:var(--accent)}
button:disabled{opacity:.45;cursor:default}
button.strong{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
button.strong:hover:not(:disabled){color:var(--on-accent);filter:brightness(1.08)}
input,select{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 8px;min-width:0}
input::placeholder{color:var(--muted);opacity:1}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
`;

const parts = `
.pill,.badge{display:inline-block;border-radius:999px;padding:2px 10px;font-size:13px;white-space:nowrap;background:var(--soft);color:var(--muted)}
.pill{white-space:normal}
.badge{padding:1px 8px}
.good{background:var(--good-back);color:var(--good)}
.warn{background:var(--warn-back);color:var(--warn)}
.bad{background:var(--bad-back);color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:12px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px 0;overflow:hidden;display:flex;flex-direction:column;min-height:128px}
.tile h3{font-size:13px;font-weight:500;color:var(--muted)}
.figure{white-space:nowrap}
.value{font-size:24px;font-weight:600;letter-spacing:-.02em}
.unit{color:var(--muted);font-size:13px}
.hint{color:var(--muted);font-size:12px}
.tile .spark{margin:auto -14px 0;width:calc(100% + 28px);height:28px}
.spark{display:block;color:var(--accent)}
.spark .area{fill:currentColor;opacity:.13;stroke:none}
.spark .edge{fill:none;stroke:currentColor;stroke-width:1.5;vector-effect:non-scaling-stroke}
.bar{display:flex;align-items:center;gap:8px 14px;flex-wrap:wrap;margin-bottom:8px}
.count{color:var(--muted);font-size:13px}
.filter{display:flex;align-items:center;gap:6px;color:var(--muted);font-size:13px}
.filter input,.filter select{color:var(--text);font-size:14px}
.filter input{width:270px}
#node-filter-box{margin-left:auto}
.pager{display:flex;align-items:center;gap:8px;margin-left:auto}
.frame{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:auto}
#node-frame.many{max-height:62vh}
table{border-collapse:collapse;width:100%}
th,td{padding:6px 8px;text-align:left;white-space:nowrap}
th{position:sticky;top:0;background:var(--card);color:var(--muted);font-size:12px;font-weight:500;box-shadow:inset 0 -1px var(--line);z-index:1}
td{border-top:1px solid var(--soft)}
tbody tr:first-child td{border-top:0}
.n{text-align:right}
td.long{max-width:230px;overflow:hidden;text-overflow:ellipsis}
td.title{max-width:270px}
th:first-child,td:first-child{padding-left:14px}
th:last-child,td:last-child{padding-right:14px}
td .spark{width:76px;height:20px;color:var(--muted)}
td .small{color:var(--muted);font-size:12px}
td.orders{text-align:right}
td.orders button{padding:1px 8px;font-size:13px;margin-left:6px}
tr.down td{color:var(--muted)}
tr.down td.orders{color:var(--text)}
td.empty{color:var(--muted);text-align:center;padding:22px}
.tabs{display:flex;gap:4px;margin-bottom:10px;border-bottom:1px solid var(--line)}
.tabs button{border:0;border-radius:6px 6px 0 0;background:none;padding:7px 12px;color:var(--muted)}
.tabs button[aria-selected=true]{color:var(--text);font-weight:600;box-shadow:inset 0 -2px var(--accent)}
body.stale main{opacity:.55}
dialog{border:1px solid var(--line);border-radius:12px;background:var(--card);color:var(--text);padding:20px;width:min(400px,calc(100vw - 32px))}
dialog::backdrop{background:#0007}
dialog form{display:grid;gap:12px}
dialog p{color:var(--muted)}
dialog label{display:grid;gap:3px;font-size:13px}
dialog label.check{display:flex;align-items:center;gap:7px;color:var(--muted)}
#order-problem{color:var(--bad)}
#order-problem:empty{display:none}
.buttons{display:flex;justify-content:flex-end;gap:8px}
`;

/** Rows become cards: each cell says its column's name itself. */
const narrow = `
@media (max-width:1100px){.tiles{grid-template-columns:repeat(3,minmax(0,1fr))}}
@media (max-width:760px){
header,main,footer{padding-left:12px;padding-right:12px}
header h1{flex:1}
#about{order:1;flex-basis:100%}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}
.tile{padding:10px 12px 0;min-height:118px}
.tile .spark{margin:auto -12px 0;width:calc(100% + 24px)}
.value{font-size:21px}
.filter{flex:1 1 100%}
.filter input{width:auto;flex:1}
#node-filter-box{margin-left:0}
.pager{margin-left:0;flex:1 1 100%}
.pager .count{flex:1}
#node-frame.many{max-height:80vh}
.frame{background:none;border:0;border-radius:0}
table,tbody,tr,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px 12px;margin-bottom:8px;display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2px 14px}
td,td.n,td:first-child,td:last-child{border:0;padding:2px 0;text-align:left;white-space:normal;overflow-wrap:anywhere;max-width:none}
td::before{content:attr(data-name);display:block;color:var(--muted);font-size:12px}
td.wide,td.empty,td.orders{grid-column:1/-1}
#sessions td.wide{grid-column:span 2}
td.orders{text-align:left}
td.orders:empty{display:none}
td.orders button{margin:4px 8px 2px 0;padding:4px 12px}
td.orders::before,td.empty::before{content:none}
td.title{font-weight:600}
td.title::before{content:none}
td .spark{width:100%;max-width:160px}
#nodes tr,#workers tr,#pools tr,#sessions tr{grid-template-columns:repeat(3,minmax(0,1fr))}
}
@media (prefers-reduced-motion:no-preference){main{transition:opacity .3s}}
`;

export const style = ground + parts + narrow;
