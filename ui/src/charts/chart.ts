import { axisUnit, hashrate } from "../format/hashrate";
import { whole } from "../format/number";
import { percent } from "../format/percent";
import { amount } from "../format/shown_amount.svelte";
import type { PauseSpan } from "../ipc/generated/PauseSpan";
import { t } from "../text";

/**
 * The chart components, for every page:
 *
 * - `LineChart.svelte`: lines over time with ranges, pauses, tooltip, legend, table, export. Its
 *   props are described there; its data are {@link ChartData}, its axis is a {@link Unit}.
 * - `BarChart.svelte`: one or two bars for each of a few named periods, with a band.
 * - `EventStrip.svelte`: marks on a line of time.
 * - `Sparkline.svelte`: a line of the last day, for a tile.
 */

/** How the numbers of a chart are written. One unit for the whole chart. */
export interface Unit {
  /** The unit of the bare numbers in a CSV file. */
  name: string;
  /** A value with its unit. */
  text: (value: number) => string;
  /** Labels of an axis with these values, the unit named on the top one only. */
  axis: (values: readonly number[]) => string[];
}

/** Colour and dash pattern of a line: 1 is *mine*. */
export type InkNumber = 1 | 2 | 3 | 4 | 5 | 6;

/** One line of a chart. Its arrays are as long as {@link ChartData.times}. */
export interface ChartLine {
  /** Names the line in tests and files: lower-case words with hyphens. */
  key: string;
  label: string;
  ink: InkNumber;
  /** `null` is a gap and drawn as one. */
  values: readonly (number | null)[];
  /** Lowest and highest value within each bucket, if they are known. */
  lows?: readonly (number | null)[];
  highs?: readonly (number | null)[];
  /** `area` shades what is under the line; `dots` draws no line, for rare events. */
  look?: "line" | "area" | "dots";
}

/** What a line chart shows. */
export interface ChartData {
  /** Starts of the buckets, strictly rising. */
  times: readonly number[];
  /** Width of a bucket; a missing bucket is a gap. */
  stepSecs: number;
  /** The range chosen; the axis is no longer than there are data. */
  spanSecs: number;
  lines: readonly ChartLine[];
  pauses?: readonly PauseSpan[];
  /** Since when there have been data, of any range; `null` before the first. */
  dataSince: number | null;
}

/** A level that is drawn across the chart, such as a device's limit. */
export interface ChartLimit {
  value: number;
  label: string;
}

/** A file that a chart hands out; the page passes it on to the application. */
export interface ChartFile {
  /** Name with its ending. */
  name: string;
  content: { kind: "text"; text: string } | { kind: "base64"; base64: string };
}

/** Dash patterns, so that no line is told by its colour alone. */
export const DASHES: Record<InkNumber, number[]> = {
  1: [],
  2: [2, 4],
  3: [9, 4],
  4: [9, 4, 2, 4],
  5: [14, 5],
  6: [5, 3],
};

/** Labels with the unit on the top value only. */
export function plainAxis(values: readonly number[], unit: string, divisor = 1): string[] {
  const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
  return values.map((value, index) => {
    const number = format.format(value / divisor);
    return index === values.length - 1 && unit !== "" ? `${number} ${unit}` : number;
  });
}

/** Hash rates in H/s. */
export const HASHRATE: Unit = {
  name: "hashes_per_second",
  text: (value) => hashrate(value),
  axis: (values) => {
    const { unit, divisor } = axisUnit(values.at(-1) ?? 0);
    return plainAxis(values, unit, divisor);
  },
};

/** Parts of a whole, 0 to 1. */
export const PART: Unit = {
  name: "part",
  text: (value) => percent(value),
  axis: (values) => plainAxis(values, "%", 0.01),
};

/** Things counted. */
export const COUNT: Unit = { name: "count", text: (v) => whole(v), axis: (v) => plainAxis(v, "") };

/** Amounts, in the unit that is chosen. */
export const SATS: Unit = {
  name: "sats",
  text: (value) => amount(Math.round(value)),
  axis: (values) => values.map((value) => amount(Math.round(value))),
};

/** A unit that stands behind the number: `58 °C`, `17.4 W`, `420 ms`. */
export function suffixed(name: string, suffix: string, digits = 0): Unit {
  const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: digits });
  return {
    name,
    text: (value) => `${format.format(value)}\u00a0${suffix}`,
    axis: (values) => plainAxis(values, suffix),
  };
}

/** The same data with an empty bucket wherever buckets are missing: gaps are gaps. */
export function withGaps(data: ChartData): ChartData {
  const isMissing = data.times.map((at, index) => {
    const before = data.times[index - 1];
    return before !== undefined && at - before > 1.5 * data.stepSecs;
  });
  if (!isMissing.includes(true)) return data;
  const filled = <T>(values: readonly T[], gap: (index: number) => T): T[] =>
    values.flatMap((value, index) => (isMissing[index] ? [gap(index), value] : [value]));
  const empty = (values: readonly (number | null)[]) => filled(values, () => null);
  return {
    ...data,
    times: filled(data.times, (index) => (data.times[index - 1] ?? 0) + data.stepSecs),
    lines: data.lines.map((line) => ({
      ...line,
      values: empty(line.values),
      ...(line.lows && { lows: empty(line.lows) }),
      ...(line.highs && { highs: empty(line.highs) }),
    })),
  };
}

/** Mean and extremes of a line, with the time of each extreme; `null` without a value. */
export function extremes(data: ChartData, line: ChartLine) {
  let sum = 0;
  let count = 0;
  let lowest = { value: Infinity, at: 0 };
  let highest = { value: -Infinity, at: 0 };
  data.times.forEach((at, index) => {
    const value = line.values[index] ?? null;
    if (value === null) return;
    sum += value;
    count += 1;
    const low = line.lows?.[index] ?? value;
    const high = line.highs?.[index] ?? value;
    if (low < lowest.value) lowest = { value: low, at };
    if (high > highest.value) highest = { value: high, at };
  });
  return count === 0 ? null : { average: sum / count, lowest, highest };
}

/** Whether mining was paused at a time. */
export function isPaused(data: ChartData, at: number): boolean {
  const middle = at + data.stepSecs / 2;
  return (data.pauses ?? []).some(
    (pause) => pause.from <= middle && (pause.to === null || middle < pause.to),
  );
}

/** A value in words; a gap says so, and why if it is known. */
export function valueText(data: ChartData, line: ChartLine, index: number, unit: Unit): string {
  const value = line.values[index] ?? null;
  if (value !== null) return unit.text(value);
  return t(isPaused(data, data.times[index] ?? 0) ? "chart.pause" : "chart.gap");
}

/** The data as a CSV file: times as ISO 8601 in UTC, bare numbers, empty cells for gaps. */
export function csv(data: ChartData, unit: Unit): string {
  const columns = data.lines.flatMap((line) => [
    { name: `${line.key}_${unit.name}`, values: line.values },
    ...(line.lows ? [{ name: `${line.key}_lowest`, values: line.lows }] : []),
    ...(line.highs ? [{ name: `${line.key}_highest`, values: line.highs }] : []),
  ]);
  const rows = data.times.map((at, index) => [
    new Date(at * 1000).toISOString().replace(".000", ""),
    ...columns.map(({ values }) => values[index] ?? ""),
  ]);
  return [["time", ...columns.map(({ name }) => name)], ...rows]
    .map((cells) => `${cells.join(",")}\r\n`)
    .join("");
}

/** A period of a bar chart. */
export interface BarPeriod {
  /** Its begin. */
  at: number;
  /** Its name on the axis, and in full. */
  short: string;
  long: string;
  /** What is usual, if that is known. */
  band?: { low: number; high: number } | null;
}

/** Bars of one kind, a value for each period. */
export interface BarSeries {
  key: string;
  label: string;
  ink: InkNumber;
  values: readonly number[];
}

/** Bars as a CSV file: begins of periods as ISO 8601 in UTC, bare numbers. */
export function barCsv(
  periods: readonly BarPeriod[],
  bars: readonly BarSeries[],
  unit: Unit,
): string {
  const head = ["begin", ...bars.map(({ key }) => `${key}_${unit.name}`)];
  const rows = periods.map((period, index) => [
    new Date(period.at * 1000).toISOString().slice(0, 10),
    ...bars.map(({ values }) => values[index] ?? ""),
  ]);
  return [head, ...rows].map((cells) => `${cells.join(",")}\r\n`).join("");
}
