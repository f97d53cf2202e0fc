/** The mark in the browser's tab, with how far what runs is: a ring round the lamp. */

const link = (): HTMLLinkElement | null => document.querySelector('link[rel="icon"]');

const RADIUS = 12;
const ROUND = 2 * Math.PI * RADIUS;

export const ringed = (percent: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#10201b"/>` +
  `<g fill="none" stroke-width="4"><circle cx="16" cy="16" r="${RADIUS}" stroke="#37463f"/>` +
  `<circle cx="16" cy="16" r="${RADIUS}" stroke="#f2ae30" stroke-linecap="round" transform="rotate(-90 16 16)" stroke-dasharray="${((ROUND * Math.min(100, Math.max(0, percent))) / 100).toFixed(1)} ${ROUND.toFixed(1)}"/></g>` +
  `<circle cx="16" cy="16" r="4.6" fill="#f2ae30"/></svg>`;

/** null: nothing runs, and the mark is as it was. */
export function showProgress(percent: number | null): void {
  const icon = link();
  if (!icon) return;
  icon.dataset.plain ??= icon.getAttribute("href")!;
  const wanted = percent === null ? icon.dataset.plain : `data:image/svg+xml,${encodeURIComponent(ringed(percent))}`;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}
