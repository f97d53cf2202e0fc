/** The viewfinder with the lamp in it. Decoration: the name stands beside it. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path
        d="M5 12V8a3 3 0 0 1 3-3h4M20 5h4a3 3 0 0 1 3 3v4M27 20v4a3 3 0 0 1-3 3h-4M12 27H8a3 3 0 0 1-3-3v-4"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="16" cy="16" r="5.4" fill="var(--lamp)" />
    </svg>
  );
}
