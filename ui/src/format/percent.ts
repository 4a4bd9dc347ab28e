/** A fraction as a percentage: `43 %`, `1.8 %`, `0.12 %`, `< 0.01 %`. */
export function percent(fraction: number, locale?: string): string {
  const value = fraction * 100;
  if (value > 0 && value < 0.01) return `<\u00a0${fixed(0.01, 2, locale)}\u00a0%`;
  return `${fixed(value, decimals(value), locale)}\u00a0%`;
}

function decimals(value: number): number {
  if (value === 0) return 0;
  // Rounding first: 9.96 reads "10 %", not "10.0 %".
  if (Number(value.toFixed(2)) < 1) return 2;
  if (Number(value.toFixed(1)) < 10) return 1;
  return 0;
}

function fixed(value: number, digits: number, locale?: string): string {
  return new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}
