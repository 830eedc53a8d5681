/** Expressions for the browser that look for faults of the page as it is shown; both give descriptions of what is wrong. */

/** What is wider than the screen, or than the frame that it stands in. */
export const overflows = `(() => {
  const wrong = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push('the page is ' + root.scrollWidth + ' wide, the screen ' + root.clientWidth);
  for (const frame of document.querySelectorAll('.frame, dialog[open]')) {
    if (frame.scrollWidth > frame.clientWidth) wrong.push((frame.id || frame.firstElementChild.id) + ' is ' + frame.scrollWidth + ' wide in ' + frame.clientWidth);
  }
  return wrong;
})()`;

/** Texts with less contrast than 4.5 to 1 (WCAG AA) to what is behind them. Controls that are switched off need none. */
export const lowContrasts = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const wrong = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.disabled || element.tagName === 'SCRIPT' || element.getClientRects().length === 0) continue;
    const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) wrong.add(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2));
  }
  return [...wrong];
})()`;
