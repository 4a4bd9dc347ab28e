import { describe, expect, it } from "vitest";
import { btc, btcParts, sats } from "./amount";

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("amounts", () => {
  it.each([
    [0, "0.000 000 00 BTC"],
    [1, "0.000 000 01 BTC"],
    [375_000, "0.003 750 00 BTC"],
    [35_988, "0.000 359 88 BTC"],
    [100_000_000, "1.000 000 00 BTC"],
    [5_000_012_300, "50.000 123 00 BTC"],
    [2_100_000_000_000_000, "21,000,000.000 000 00 BTC"],
  ])("writes %d satoshis with eight grouped decimals", (amount, expected) => {
    expect(plain(btc(amount, "en-US"))).toBe(expected);
  });

  it("loses no satoshi of any amount", () => {
    for (const amount of [1, 99_999_999, 2_099_999_997_690_000, 1_043_219_884]) {
      const digits = btcParts(amount, "en-US").value.replaceAll(/\D/g, "");
      expect(Number(digits)).toBe(amount);
    }
  });

  it("follows the system's decimal mark", () => {
    expect(btcParts(375_000, "de-DE").value.startsWith("0,003")).toBe(true);
  });

  it("groups satoshis", () => {
    expect(plain(sats(375_000, "en-US"))).toBe("375,000 sats");
  });
});
