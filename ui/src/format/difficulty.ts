import { joined, scaled, threeDigits } from "./number";

const SUFFIXES = ["", "k", "M", "G", "T", "P", "E"] as const;

/** A difficulty as three digits: `6.98 M`. */
export function difficulty(value: number, locale?: string): string {
  if (value <= 0) return "0";
  const { factor, power } = scaled(value, SUFFIXES.length);
  return joined({ value: threeDigits(factor, locale), unit: SUFFIXES[power] ?? "" });
}
