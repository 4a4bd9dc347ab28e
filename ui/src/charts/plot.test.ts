import { describe, expect, it } from "vitest";
import { type ChartData, csv, extremes, HASHRATE, valueText, withGaps } from "./chart";
import { columns, columnsOf, timeSpan } from "./plot";
import { summaryText } from "./summary";

const NOW = 1_795_400_000;

function chart(over: Partial<ChartData> = {}): ChartData {
  return {
    times: [NOW, NOW + 60, NOW + 120],
    stepSecs: 60,
    spanSecs: 3_600,
    dataSince: NOW,
    lines: [
      { key: "mine", label: "all miners", ink: 1, values: [1e6, null, 3e6], look: "area" },
      { key: "late", label: "late work", ink: 2, values: [0, 0, 5e4], look: "dots" },
    ],
    ...over,
  };
}

describe("columns", () => {
  it("keep gaps as gaps", () => {
    expect(columns(chart(), false)[1]).toEqual([1e6, null, 3e6]);
  });

  it("draw no dot where nothing came late, and no zero on a logarithmic axis", () => {
    expect(columns(chart(), false)[2]).toEqual([null, null, 5e4]);
    const zero = chart({ lines: [{ key: "a", label: "a", ink: 1, values: [0, 1, 2] }] });
    expect(columns(zero, true)[1]).toEqual([null, 1, 2]);
  });

  it("add a band to my line alone, and hide it with the line", () => {
    const [mine, late] = chart().lines;
    if (mine === undefined || late === undefined) throw new Error("two lines");
    const banded = { lows: [1, 1, 1], highs: [2, 2, 2] };
    const data = chart({ lines: [{ ...mine, ...banded }, { ...late, ...banded }] });
    expect(columns(data, false)).toHaveLength(5);
    expect(columnsOf(data, "mine")).toEqual([1, 3, 4]);
    expect(columnsOf(data, "late")).toEqual([2]);
  });
});

describe("timeSpan", () => {
  it("is as long as there is data", () => {
    const data = chart({ times: [NOW, NOW + 1_000, NOW + 2_000] });
    expect(timeSpan(data)).toEqual([NOW, NOW + 2_000]);
  });

  it("does not stretch a young chart", () => {
    expect(timeSpan(chart())).toEqual([NOW + 120 - 600, NOW + 120]);
  });
});

describe("a missing bucket", () => {
  it("becomes a gap in every line", () => {
    const data = withGaps(chart({ times: [NOW, NOW + 60, NOW + 600] }));
    expect(data.times).toEqual([NOW, NOW + 60, NOW + 120, NOW + 600]);
    expect(data.lines[1]?.values).toEqual([0, 0, null, 5e4]);
  });

  it("is told apart from a pause", () => {
    const data = chart({ pauses: [{ from: NOW + 60, to: NOW + 120 }] });
    const [line] = data.lines;
    if (line === undefined) throw new Error("a line");
    expect(valueText(data, line, 1, HASHRATE)).toBe("paused");
    expect(valueText(chart(), line, 1, HASHRATE)).toBe("no data");
  });
});

describe("the words of a chart", () => {
  it("name average and extremes with their times", () => {
    const text = summaryText("Hashrate", chart(), HASHRATE, "hours6");
    expect(text.replaceAll("\u00a0", " ")).toContain("all miners: average 2.00 MH/s");
    expect(text).toContain("6 h");
  });

  it("take the extremes from lows and highs", () => {
    const [mine] = chart().lines;
    if (mine === undefined) throw new Error("a line");
    const found = extremes(chart(), { ...mine, lows: [5, null, 9], highs: [1e6, null, 7e6] });
    expect(found?.lowest).toEqual({ value: 5, at: NOW });
    expect(found?.highest).toEqual({ value: 7e6, at: NOW + 120 });
  });

  it("say when there is nothing to tell", () => {
    const empty = chart({ lines: [{ key: "a", label: "a", ink: 1, values: [null, null, null] }] });
    expect(summaryText("Hashrate", empty, HASHRATE, undefined)).toBe("Hashrate: no data yet.");
  });
});

describe("the CSV file", () => {
  it("has ISO times, bare numbers, and nothing where there is a gap", () => {
    expect(csv(chart(), HASHRATE)).toBe(
      "time,mine_hashes_per_second,late_hashes_per_second\r\n" +
        "2026-11-23T02:13:20Z,1000000,0\r\n" +
        "2026-11-23T02:14:20Z,,0\r\n" +
        "2026-11-23T02:15:20Z,3000000,50000\r\n",
    );
  });
});
