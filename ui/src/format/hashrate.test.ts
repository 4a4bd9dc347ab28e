import { describe, expect, it } from "vitest";
import { axisUnit, hashrate, hashrateParts } from "./hashrate";

const text = (hps: number) => hashrate(hps, "en-US").replace("\u00a0", " ");

describe("hashrate", () => {
  it.each([
    [0, "0 H/s"],
    [1, "1.00 H/s"],
    [950, "950 H/s"],
    [999.4, "999 H/s"],
    [999.6, "1.00 kH/s"],
    [46_400_000, "46.4 MH/s"],
    [1.21e12, "1.21 TH/s"],
    [95e12, "95.0 TH/s"],
    [1e15, "1.00 PH/s"],
    [7.5e20, "750 EH/s"],
  ])("writes %d H/s with three significant digits", (hps, expected) => {
    expect(text(hps)).toBe(expected);
  });

  it("keeps number and unit on one line", () => {
    expect(hashrate(1e6, "en-US")).toBe("1.00\u00a0MH/s");
  });

  it("follows the system's decimal mark", () => {
    expect(hashrateParts(1.21e12, "de-DE")).toEqual({ value: "1,21", unit: "TH/s" });
  });

  it("writes a whole axis in one unit", () => {
    expect(axisUnit(60e6)).toEqual({ unit: "MH/s", divisor: 1e6 });
    expect(axisUnit(0)).toEqual({ unit: "H/s", divisor: 1 });
  });
});
