/** The tile from which an image was opened, so that whoever comes back to its grid is on it again. */
let opened: { grid: string; place: number } | null = null;

export const rememberOpened = (grid: string, place: number): void => {
  opened = { grid, place };
};

/** Once, for the grid it was opened from. */
export function takeOpened(grid: string): number | null {
  const place = opened?.grid === grid ? opened.place : null;
  opened = null;
  return place;
}
