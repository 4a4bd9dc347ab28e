import { describe, expect, it } from "vitest";
import { emptySeries, series } from "../ipc/fake/fixtures";
import { columns, timeSpan } from "./plot";

const NOW = 1_795_400_000;

describe("columns", () => {
  it("keep gaps as gaps", () => {
    const data = series(NOW, "hour1", 1e6);
    const paused = data.points.findIndex((point) => point.mineHps === null);
    expect(columns(data)[1]?.[paused]).toBeNull();
  });

  it("draw no dot where nothing came late", () => {
    const points = [{ at: 0, mineHps: 5, lateHps: 0 }];
    expect(columns({ ...emptySeries("hour1"), points })[2]).toEqual([null]);
  });
});

describe("timeSpan", () => {
  it("is as long as there is data", () => {
    const data = series(NOW, "hour1", 1e6);
    const [from, to] = timeSpan(data);
    expect(from).toBe(data.points[0]?.at);
    expect(to).toBe(data.points.at(-1)?.at);
  });

  it("does not stretch a young chart", () => {
    const points = [
      { at: NOW - 20, mineHps: 5, lateHps: 0 },
      { at: NOW, mineHps: 5, lateHps: 0 },
    ];
    expect(timeSpan({ ...emptySeries("hour1"), points })).toEqual([NOW - 600, NOW]);
  });
});
