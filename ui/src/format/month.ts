/** A month in the system's own style, `November 2026`. Months are counted in UTC. */
export function month(at: number, locale?: string): string {
  const style = { month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, style).format(at * 1000);
}

/** The same, short, for an axis: `Nov 26`. */
export function shortMonth(at: number, locale?: string): string {
  const style = { month: "short", year: "2-digit", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, style).format(at * 1000);
}

/** A day in UTC, short, for an axis: `Nov 22`. */
export function shortDay(at: number, locale?: string): string {
  const style = { month: "short", day: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, style).format(at * 1000);
}
