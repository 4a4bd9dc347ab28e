import { describe, expect, it } from "vitest";
import { percent } from "./percent";

const text = (fraction: number) => percent(fraction, "en-US").replaceAll("\u00a0", " ");

describe("percent", () => {
  it.each([
    [0, "0 %"],
    [0.000_001, "< 0.01 %"],
    [0.000_099, "< 0.01 %"],
    [0.000_12, "0.01 %"],
    [0.0012, "0.12 %"],
    [0.009_96, "1.0 %"],
    [0.018, "1.8 %"],
    [0.0996, "10 %"],
    [0.43, "43 %"],
    [1, "100 %"],
    [1.34, "134 %"],
  ])("writes %d", (fraction, expected) => {
    expect(text(fraction)).toBe(expected);
  });
});
