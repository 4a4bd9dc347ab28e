import { describe, expect, it } from "vitest";
import { about, duration } from "./duration";

const HOUR = 3_600;
const DAY = 24 * HOUR;
const YEAR = 365.25 * DAY;

describe("duration", () => {
  it.each([
    [0, "under a minute"],
    [59.9, "under a minute"],
    [60, "1 min"],
    [92, "1 min 32 s"],
    [12 * 60 + 5, "12 min"],
    [HOUR, "1 h"],
    [6 * HOUR + 50 * 60, "6 h 50 min"],
    [DAY, "1 d"],
    [2 * DAY + 3 * HOUR, "2 d 3 h"],
    [59 * DAY, "59 d"],
    [335 * DAY, "11 months"],
    [2 * YEAR, "2 years"],
    [18.6 * YEAR, "19 years"],
    [99 * YEAR, "99 years"],
    [100 * YEAR, "over 100 years"],
  ])("writes %d seconds in its two largest units", (secs, expected) => {
    expect(duration(secs)).toBe(expected);
  });

  it("calls an estimate one, but not a bound", () => {
    expect(about(6 * HOUR + 50 * 60)).toBe("about 6 h 50 min");
    expect(about(20)).toBe("under a minute");
    expect(about(500 * YEAR)).toBe("over 100 years");
  });
});
