import { useEffect } from "react";

const INK = "#10201b";
const PAPER = "#e6edea";
const LAMP = "#f2ae30";
const TONES: Record<string, string> = { completed: "#5fcb94", failed: "#ff8f85", cancelled: "#a3b3ac" };
const RADIUS = 10;
const ROUND = 2 * Math.PI * RADIUS;

/** The mark's lamp in a ring that closes as the training goes on; the ring takes the colour of how it ended. */
export function faviconOf(state: string, progress: number): string {
  const share = TONES[state] ? 1 : Math.min(100, Math.max(0, Math.floor(progress))) / 100;
  const tone = TONES[state] ?? LAMP;
  const svg = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">',
    `<rect width="32" height="32" rx="7" fill="${INK}"/>`,
    `<circle cx="16" cy="16" r="${RADIUS}" fill="none" stroke="${PAPER}" stroke-opacity=".28" stroke-width="4"/>`,
    `<circle cx="16" cy="16" r="${RADIUS}" fill="none" stroke="${tone}" stroke-width="4" stroke-dasharray="${(share * ROUND).toFixed(1)} ${ROUND.toFixed(1)}" transform="rotate(-90 16 16)"/>`,
    `<circle cx="16" cy="16" r="3.6" fill="${tone}"/>`,
    "</svg>",
  ].join("");
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

const wanted = new Map<symbol, { href: string; page: boolean }>();

/** An icon while the component is there; then the product's own again. A page's goes before what is shown everywhere. */
export function useFavicon(href: string | null, { page = false } = {}): void {
  useEffect(() => {
    if (href === null) return;
    const mine = Symbol(href);
    wanted.set(mine, { href, page });
    show();
    return () => {
      wanted.delete(mine);
      show();
    };
  }, [href, page]);
}

function show(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  link.dataset.own ??= link.href;
  const icons = [...wanted.values()];
  link.href = (icons.findLast((icon) => icon.page) ?? icons.at(-1))?.href ?? link.dataset.own;
}
