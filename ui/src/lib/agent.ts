/** "Chrome, Linux" of what a browser says of itself; whatever else it says, shortened. */
export function agent(said: string): string {
  const browser = /Edg|Firefox|Chrome|Safari/.exec(said)?.[0];
  const system = /Windows|Android|iPhone|iPad|Macintosh|Linux/.exec(said)?.[0];
  if (!browser) return said.slice(0, 60);
  // Edge calls itself Chrome, too.
  const name = /Edg\w*/.test(said) ? "MS Edge" : browser;
  return system ? `${name}, ${system}` : name;
}
