/** A number and its unit, apart, so that the unit can be set smaller. */
export interface Measure {
  readonly value: string;
  readonly unit: string;
}

/** Joins number and unit so that no line break parts them. */
export function joined(measure: Measure): string {
  return measure.unit === "" ? measure.value : `${measure.value}\u00a0${measure.unit}`;
}

/** Three significant digits, trailing zeros kept: `1.20`, `12.0`, `120`. */
export function threeDigits(value: number, locale?: string): string {
  return new Intl.NumberFormat(locale, {
    minimumSignificantDigits: 3,
    maximumSignificantDigits: 3,
    useGrouping: false,
  }).format(value);
}

/** Whole number with the system's grouping. */
export function whole(value: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

/**
 * Splits a value into a factor below 1000 and the index of its power of 1000, after rounding to
 * three digits: 999.6 is 1.00 of the next power.
 */
export function scaled(value: number, powers: number): { factor: number; power: number } {
  let factor = value;
  let power = 0;
  while (Number(factor.toPrecision(3)) >= 1000 && power < powers - 1) {
    factor /= 1000;
    power += 1;
  }
  return { factor, power };
}
