import { afterEach, describe, expect, it } from "vitest";
import { amountIn, btcParts, otherUnit } from "./amount";
import { amount, amountParts, otherAmount, shownUnit } from "./shown_amount.svelte";

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");
const btc = (sats: number) => plain(amountIn("btc", sats, "en-US"));

describe("amounts", () => {
  it.each([
    [0, "0.000 000 00 BTC"],
    [1, "0.000 000 01 BTC"],
    [375_000, "0.003 750 00 BTC"],
    [35_988, "0.000 359 88 BTC"],
    [100_000_000, "1.000 000 00 BTC"],
    [5_000_012_300, "50.000 123 00 BTC"],
    [2_100_000_000_000_000, "21,000,000.000 000 00 BTC"],
  ])("writes %d satoshis with eight grouped decimals", (sats, expected) => {
    expect(btc(sats)).toBe(expected);
  });

  it("follows the system's decimal mark", () => {
    expect(btcParts(375_000, "de-DE").value.startsWith("0,003")).toBe(true);
  });

  it("groups satoshis", () => {
    expect(plain(amountIn("sats", 375_000, "en-US"))).toBe("375,000 sats");
  });
});

describe("acceptance 60: the unit of amounts", () => {
  afterEach(() => {
    shownUnit.unit = "btc";
  });

  it("is switched for every amount at once, the other one in the tooltip", () => {
    expect(plain(amount(375_000))).toBe("0.003 750 00 BTC");
    expect(plain(otherAmount(375_000))).toBe("375,000 sats");
    shownUnit.unit = "sats";
    expect(plain(amount(375_000))).toBe("375,000 sats");
    expect(plain(otherAmount(375_000))).toBe("0.003 750 00 BTC");
    expect(amountParts(375_000).unit).toBe("sats");
    expect(otherUnit("sats")).toBe("btc");
  });

  it("loses no satoshi of any amount", () => {
    const amounts = [1, 99_999_999, 2_099_999_997_690_000, 1_043_219_884, 5_000_012_300];
    for (const unit of ["btc", "sats"] as const) {
      for (const sats of amounts) {
        expect(Number(amountIn(unit, sats, "en-US").replaceAll(/\D/g, ""))).toBe(sats);
      }
    }
  });
});
