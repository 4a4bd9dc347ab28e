import uPlot from "uplot";
import { axisUnit } from "../format/hashrate";
import type { PauseSpan } from "../ipc/generated/PauseSpan";
import type { Series } from "../ipc/generated/Series";

/** Colours and type of a plot, read from the tokens in force. */
export interface Ink {
  line: string;
  area: string;
  late: string;
  text: string;
  grid: string;
  pause: string;
  font: string;
}

/** Shortest time axis: a young chart is not stretched beyond it. */
const AXIS_SECS_MIN = 600;
/** A longer axis names dates. */
const TIMES_OF_DAY_SECS_MAX = 2 * 86_400;
const LEFT_AXIS_SIZE = 64;
const BOTTOM_AXIS_SIZE = 28;
const RIGHT_PADDING = 30;
const TOP_PADDING = 10;

/** Reads the ink off an element: the tokens resolve where it stands. */
export function inkOf(element: HTMLElement): Ink {
  const style = getComputedStyle(element);
  const color = (name: string) => {
    // A custom property keeps its unresolved text; a real property resolves it.
    element.style.setProperty("outline-color", `var(${name})`);
    const resolved = style.getPropertyValue("outline-color");
    element.style.removeProperty("outline-color");
    return resolved;
  };
  return {
    line: color("--chart-1"),
    area: color("--chart-area"),
    late: color("--chart-2"),
    text: color("--text-muted"),
    grid: color("--chart-grid"),
    pause: color("--chart-pause"),
    font: `${style.fontSize} ${style.fontFamily}`,
  };
}

/** A series as uPlot's columns. */
export function columns(series: Series): uPlot.AlignedData {
  return [
    series.points.map((point) => point.at),
    series.points.map((point) => point.mineHps),
    // Only work that was late is drawn: a dotted zero line would say nothing.
    series.points.map((point) => (point.lateHps === 0 ? null : point.lateHps)),
  ];
}

/** The time axis: the range, but no longer than there is data. */
export function timeSpan(series: Series): [number, number] {
  const first = series.points[0];
  const last = series.points.at(-1);
  if (first === undefined || last === undefined) return [0, series.spanSecs];
  const secs = Math.max(last.at - first.at, Math.min(AXIS_SECS_MIN, series.spanSecs));
  return [last.at - secs, last.at];
}

/** Options of the hash rate plot. `read` gives the newest data, so that redraws see it. */
export function hashrateOptions(
  size: { width: number; height: number },
  ink: Ink,
  read: () => Series,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const axis = { stroke: ink.text, font: ink.font, ticks: { show: false } } as const;
  const grid = { stroke: ink.grid, width: 1 } as const;
  return {
    ...size,
    padding: [TOP_PADDING, RIGHT_PADDING, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { time: true, range: () => timeSpan(read()) },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.15, 1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: BOTTOM_AXIS_SIZE,
        gap: 8,
        space: 76,
        values: timeValues,
      },
      { ...axis, grid, size: LEFT_AXIS_SIZE, space: 42, values: unitValues },
    ],
    series: [
      {},
      { stroke: ink.line, fill: ink.area, width: 1.75, spanGaps: false, points: { show: false } },
      { stroke: ink.late, paths: () => null, points: { show: true, size: 4, fill: ink.late } },
    ],
    hooks: {
      drawClear: [(plot) => shadePauses(plot, read().pauses, ink.pause)],
      setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
    },
  };
}

/** Times of day on a short axis, dates on a long one, in the system's style. */
function timeValues(_plot: uPlot, splits: number[]): string[] {
  const secs = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
  const style: Intl.DateTimeFormatOptions =
    secs <= TIMES_OF_DAY_SECS_MAX
      ? { hour: "numeric", minute: "2-digit" }
      : { month: "short", day: "numeric" };
  const format = new Intl.DateTimeFormat(undefined, style);
  return splits.map((split) => format.format(split * 1000));
}

/** One unit for the whole axis, named on its top value only. */
function unitValues(_plot: uPlot, splits: number[]): string[] {
  const { unit, divisor } = axisUnit(splits.at(-1) ?? 0);
  const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
  return splits.map((split, index) => {
    const number = format.format(split / divisor);
    return index === splits.length - 1 ? `${number} ${unit}` : number;
  });
}

function shadePauses(plot: uPlot, pauses: readonly PauseSpan[], color: string): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.fillStyle = color;
  for (const pause of pauses) {
    const from = Math.max(plot.valToPos(pause.from, "x", true), bbox.left);
    const to = pause.to === null ? right : Math.min(plot.valToPos(pause.to, "x", true), right);
    if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
  }
  ctx.restore();
}
