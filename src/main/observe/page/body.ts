/** The page's markup; the script fills it in. */

function tile(id: string, name: string, hint: string): string {
  return `<div class="tile" id="tile-${id}"><h3>${name}</h3><p class="figure"><span class="value">–</span> <span class="unit"></span></p><p class="hint">${hint}</p><svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true"></svg></div>`;
}

function heads(columns: readonly (readonly [name: string, number?: 'n'])[]): string {
  return columns.map(([name, number]) => `<th scope="col"${number === 'n' ? ' class="n"' : ''}>${name}</th>`).join('');
}

function pager(list: string): string {
  return `<div class="pager"><span class="count" role="status"></span><button type="button" class="previous" aria-label="Previous page of ${list}">‹ Back</button><button type="button" class="next" aria-label="Next page of ${list}">More ›</button></div>`;
}

const states = ['executing', 'idle', 'idle in transaction', 'connecting'];

export const body = `<header>
  <h1>pgloom</h1>
  <p id="about"></p>
  <p id="pill" class="pill" role="status">connecting …</p>
  <button type="button" id="theme">Dark</button>
</header>
<main>
  <section aria-labelledby="h-now">
    <h2 id="h-now" class="unseen">Now</h2>
    <div class="tiles">
      ${tile('clients', 'Clients', 'served now')}
      ${tile('waiting', 'Waiting', 'in the queue')}
      ${tile('rate', 'Statements', 'sent to the nodes')}
      ${tile('latency', 'Latency', 'of the last 30 s')}
      ${tile('pool', 'Pool', 'check-outs that found a connection')}
      ${tile('loop', 'Thread delay', 'at most')}
    </div>
  </section>
  <section aria-labelledby="h-nodes">
    <div class="bar"><h2 id="h-nodes">Nodes</h2><span class="count" id="node-count"></span>
      <label class="filter" id="node-filter-box" hidden>Filter <input id="node-filter" type="search" maxlength="64" placeholder="host, role or state" autocomplete="off"></label></div>
    <div class="frame" id="node-frame" role="region" aria-labelledby="h-nodes" tabindex="0">
      <table id="nodes"><thead><tr>${heads([['Node'], ['State'], ['Role'], ['Weight', 'n'], ['Delay', 'n'], ['Reads/s', 'n'], ['Writes/s', 'n'], ['Statements'], ['p50', 'n'], ['p95', 'n'], ['Errors', 'n'], ['Health checks'], ['<span class="unseen">Orders</span>']])}</tr></thead><tbody></tbody></table>
    </div>
  </section>
  <section aria-labelledby="h-lists">
    <h2 id="h-lists" class="unseen">Lists</h2>
    <div class="tabs" role="tablist" aria-label="Lists">
      <button type="button" role="tab" id="tab-sessions" aria-controls="panel-sessions" aria-selected="true">Sessions</button>
      <button type="button" role="tab" id="tab-pools" aria-controls="panel-pools" aria-selected="false" tabindex="-1">Pools</button>
      <button type="button" role="tab" id="tab-workers" aria-controls="panel-workers" aria-selected="false" tabindex="-1">Workers</button>
    </div>
    <div class="panel" role="tabpanel" id="panel-sessions" aria-labelledby="tab-sessions">
      <div class="bar">
        <label class="filter">Filter <input id="session-filter" type="search" maxlength="64" placeholder="user, database, application, address" autocomplete="off"></label>
        <label class="filter">State <select id="session-state"><option value="">all</option>${states.map((state) => `<option>${state}</option>`).join('')}</select></label>
        ${pager('sessions')}
      </div>
      <div class="frame"><table id="sessions"><thead><tr>${heads([['Child', 'n'], ['State'], ['User'], ['Database'], ['Application'], ['Client'], ['Reads from', 'n'], ['Worker', 'n'], ['Since', 'n']])}</tr></thead><tbody></tbody></table></div>
    </div>
    <div class="panel" role="tabpanel" id="panel-pools" aria-labelledby="tab-pools" hidden>
      <div class="bar">
        <label class="filter">Filter <input id="pool-filter" type="search" maxlength="64" placeholder="user or database" autocomplete="off"></label>
        ${pager('pools')}
      </div>
      <div class="frame"><table id="pools"><thead><tr>${heads([['Database'], ['User'], ['Node', 'n'], ['In use', 'n'], ['Idle', 'n'], ['Sessions served', 'n'], ['Oldest', 'n']])}</tr></thead><tbody></tbody></table></div>
    </div>
    <div class="panel" role="tabpanel" id="panel-workers" aria-labelledby="tab-workers" hidden>
      <div class="bar"><span class="count" id="children"></span></div>
      <div class="frame"><table id="workers"><thead><tr>${heads([['Thread'], ['Sessions', 'n'], ['Busy', 'n'], ['Delay p50', 'n'], ['Delay p99', 'n'], ['Longest', 'n'], ['Heap', 'n']])}</tr></thead><tbody></tbody></table></div>
    </div>
  </section>
</main>
<footer><p>What the sessions run is not shown here. <a href="/metrics">Metrics</a> · <a href="/readyz">Readiness</a></p></footer>
<dialog id="order" aria-labelledby="order-title" aria-describedby="order-text">
  <form id="order-form">
    <h2 id="order-title"></h2>
    <p id="order-text"></p>
    <label>PCP user <input id="order-user" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="127" required></label>
    <label>Password <input id="order-password" type="password" autocomplete="off" maxlength="127" required></label>
    <label class="check"><input id="order-keep" type="checkbox"> Keep until this page is closed</label>
    <p id="order-problem" role="alert"></p>
    <div class="buttons"><button type="button" id="order-cancel">Cancel</button><button type="submit" id="order-go" class="strong"></button></div>
  </form>
</dialog>`;
