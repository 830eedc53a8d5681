/** The page's script, part 2: attach, detach and promote. The password lives in a variable of the page, if anywhere. */
export const scriptOrders = String.raw`
var kept = null, order = null, askAgain = function () {};
var explanations = {
  attach: 'Clients are served from this node again.',
  detach: 'Clients are not served from this node any more until somebody attaches it. Sessions that need it end.',
  promote: 'pgloom takes this node for the primary and sends writes there. The server itself is not promoted: do that first. All other nodes are taken out of service; attach those that follow the new primary.'
};
function capital(word) { return word.charAt(0).toUpperCase() + word.slice(1); }
function orderButton(name, node) {
  var button = element('button', '', capital(name));
  button.type = 'button';
  button.setAttribute('aria-label', capital(name) + ' node ' + node);
  button.addEventListener('click', function () { openOrder(name, node); });
  return button;
}
function openOrder(name, node) {
  order = { order: name, node: node };
  setText(byId('order-title'), capital(name) + ' node ' + node + '?');
  setText(byId('order-text'), explanations[name]);
  setText(byId('order-go'), capital(name) + ' node ' + node);
  setText(byId('order-problem'), '');
  byId('order-user').value = kept ? kept.user : '';
  byId('order-password').value = kept ? kept.password : '';
  byId('order-keep').checked = kept !== null;
  byId('order').showModal();
}
function closeOrder() {
  order = null;
  byId('order-password').value = '';
  byId('order').close();
}
function sendOrder(event) {
  event.preventDefault();
  var given = { user: byId('order-user').value, password: byId('order-password').value }, go = byId('order-go');
  if (order === null || go.disabled) return;
  go.disabled = true;
  setText(byId('order-problem'), '');
  var problem = function (text) { setText(byId('order-problem'), text); };
  fetch('/orders', {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Pgloom': 'order' }, credentials: 'same-origin',
    body: JSON.stringify(Object.assign({}, order, given))
  }).then(function (answer) {
    return answer.json().then(function (told) {
      if (!answer.ok) return problem(capital(String(told.error)) + '.');
      kept = byId('order-keep').checked ? given : null;
      closeOrder();
      askAgain();
    });
  }).catch(function () { problem('pgloom does not answer.'); }).finally(function () { go.disabled = false; });
}
byId('order-form').addEventListener('submit', sendOrder);
byId('order-cancel').addEventListener('click', closeOrder);
byId('order').addEventListener('close', function () { byId('order-password').value = ''; });
`;
