import { describe, expect, it } from "vitest";
import { applied, EVENTS_MAX } from "./apply";
import { fresh } from "./fake/fixtures";
import type { AppSnapshot } from "./generated/AppSnapshot";
import type { SeriesPoint } from "./generated/SeriesPoint";

const NOW = 1_795_400_000;
const point = (at: number, mineHps: number): SeriesPoint => ({
  at,
  mineHps,
  lowHps: mineHps,
  highHps: mineHps,
  lateHps: 0,
});
const append = (state: AppSnapshot, value: SeriesPoint) =>
  applied(state, { section: "seriesAppended", value });

describe("applied", () => {
  it("replaces one section and leaves the others the same objects", () => {
    const before = fresh(NOW);
    const after = applied(before, { section: "overall", value: { state: "earning" } });
    expect(after.overall).toEqual({ state: "earning" });
    expect(after.shares).toBe(before.shares);
  });

  it("appends a bucket and replaces one of the same time", () => {
    let state = append(fresh(NOW), point(10, 1));
    state = append(state, point(20, 2));
    state = append(state, point(20, 3));
    expect(state.series.points).toEqual([point(10, 1), point(20, 3)]);
  });

  it("forgets buckets older than the range", () => {
    const first = append(fresh(NOW), point(0, 1));
    const state = append(first, point(first.series.spanSecs + 10, 2));
    expect(state.series.points.map(({ at }) => at)).toEqual([state.series.spanSecs + 10]);
  });

  it("keeps the newest events, newest first", () => {
    let state = fresh(NOW);
    for (let id = 1; id <= EVENTS_MAX + 3; id += 1) {
      const value = { id, at: NOW, what: { kind: "shareLate" } } as const;
      state = applied(state, { section: "eventAdded", value });
    }
    expect(state.events).toHaveLength(EVENTS_MAX);
    expect(state.events[0]?.id).toBe(EVENTS_MAX + 3);
  });
});
