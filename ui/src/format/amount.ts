import { joined, type Measure, whole } from "./number";

/** How amounts are written: a setting. */
export type AmountUnit = "btc" | "sats";

const SATS_PER_BTC = 100_000_000;
const THIN = "\u202f";

/** An amount in BTC: 8 decimals in groups of three after the point, `0.003 750 00`. */
export function btcParts(sats: number, locale?: string): Measure {
  const coins = Math.floor(sats / SATS_PER_BTC);
  const rest = String(sats % SATS_PER_BTC).padStart(8, "0");
  const point = decimalPoint(locale);
  const decimals = `${rest.slice(0, 3)}${THIN}${rest.slice(3, 6)}${THIN}${rest.slice(6)}`;
  return { value: `${whole(coins, locale)}${point}${decimals}`, unit: "BTC" };
}

/** An amount in satoshis: `375,000`. */
export function satsParts(amount: number, locale?: string): Measure {
  return { value: whole(amount, locale), unit: "sats" };
}

/** An amount in one of the units, apart from its unit. */
export function partsIn(unit: AmountUnit, sats: number, locale?: string): Measure {
  return unit === "btc" ? btcParts(sats, locale) : satsParts(sats, locale);
}

/** An amount in one of the units: `0.003 750 00 BTC` or `375,000 sats`. */
export function amountIn(unit: AmountUnit, sats: number, locale?: string): string {
  return joined(partsIn(unit, sats, locale));
}

/** The unit that is not chosen, for tooltips. */
export function otherUnit(unit: AmountUnit): AmountUnit {
  return unit === "btc" ? "sats" : "btc";
}

function decimalPoint(locale?: string): string {
  const parts = new Intl.NumberFormat(locale).formatToParts(1.5);
  return parts.find((part) => part.type === "decimal")?.value ?? ".";
}
