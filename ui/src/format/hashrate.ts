import { joined, type Measure, scaled, threeDigits } from "./number";

const UNITS = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s", "EH/s", "ZH/s"] as const;

/** A hash rate in H/s as three significant digits and an SI unit. */
export function hashrateParts(hps: number, locale?: string): Measure {
  if (hps <= 0) return { value: "0", unit: UNITS[0] };
  const { factor, power } = scaled(hps, UNITS.length);
  return { value: threeDigits(factor, locale), unit: UNITS[power] ?? UNITS[0] };
}

/** A hash rate in H/s: `1.21 TH/s`. */
export function hashrate(hps: number, locale?: string): string {
  return joined(hashrateParts(hps, locale));
}

/** The one unit a whole axis up to `highest` H/s is written in. */
export function axisUnit(highest: number): { unit: string; divisor: number } {
  const { power } = scaled(Math.max(highest, 0), UNITS.length);
  return { unit: UNITS[power] ?? UNITS[0], divisor: 1000 ** power };
}
