import { amountIn, type AmountUnit, otherUnit, partsIn } from "./amount";
import type { Measure } from "./number";

/** The unit that amounts are shown in. What shows an amount follows it at once. */
class Shown {
  unit: AmountUnit = $state("btc");
}

/** The one choice of the window; the settings set it. */
export const shownUnit = new Shown();

/** An amount in the chosen unit. */
export function amount(sats: number): string {
  return amountIn(shownUnit.unit, sats);
}

/** The same in the other unit, for a tooltip. */
export function otherAmount(sats: number): string {
  return amountIn(otherUnit(shownUnit.unit), sats);
}

/** An amount in the chosen unit, apart from its unit. */
export function amountParts(sats: number): Measure {
  return partsIn(shownUnit.unit, sats);
}
