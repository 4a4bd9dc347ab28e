import uPlot from "uplot";
import { type ChartData, type ChartLimit, DASHES, type InkNumber, type Unit } from "./chart";
import { t } from "../text";

/** Colours and type of a plot, read from the tokens in force. */
export interface Ink {
  lines: Record<InkNumber, string>;
  area: string;
  text: string;
  grid: string;
  pause: string;
  limit: string;
  paper: string;
  title: string;
  /** Size in pixels and family of the type. */
  type: { size: number; family: string };
}

/** What a plot is drawn from; read anew at each stroke, so that redraws see the newest. */
export interface Sheet {
  data: ChartData;
  unit: Unit;
  isLog: boolean;
  isZeroBased: boolean;
  limit: ChartLimit | null;
}

/** Shortest time axis: a young chart is not stretched beyond it. */
const AXIS_SECS_MIN = 600;
/** A longer axis names dates. */
const TIMES_OF_DAY_SECS_MAX = 2 * 86_400;
const LEFT_AXIS_SIZE = 68;
const BOTTOM_AXIS_SIZE = 28;
const RIGHT_PADDING = 30;
const TOP_PADDING = 10;
/** Room that a word in a plot needs, in pixels. */
const WORD_WIDTH = 52;
const INKS: readonly InkNumber[] = [1, 2, 3, 4, 5, 6];

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
    lines: Object.fromEntries(INKS.map((ink) => [ink, color(`--chart-${ink}`)])) as Ink["lines"],
    area: color("--chart-area"),
    text: color("--text-muted"),
    grid: color("--chart-grid"),
    pause: color("--chart-pause"),
    limit: color("--error"),
    paper: color("--surface-1"),
    title: color("--text"),
    type: { size: Number.parseFloat(style.fontSize) || 12, family: style.fontFamily },
  };
}

/** The type of a plot whose pixels are finer than the window's by `ratio`. */
export function fontOf(ink: Ink, ratio = 1, scale = 1): string {
  return `${ink.type.size * ratio * scale}px ${ink.type.family}`;
}

/** Data as uPlot's columns: the lines, then lows and highs of those that have them. */
export function columns(data: ChartData, isLog: boolean): uPlot.AlignedData {
  // A logarithm has no zero, and a dotted zero line would say nothing.
  const drawn = (values: readonly (number | null)[], isPositive: boolean) =>
    isPositive ? values.map((value) => (value !== null && value > 0 ? value : null)) : [...values];
  return [
    [...data.times],
    ...data.lines.map((line) => drawn(line.values, isLog || line.look === "dots")),
    ...banded(data).flatMap((line) =>
      [line.lows ?? [], line.highs ?? []].map((values) => drawn(values, isLog)),
    ),
  ];
}

/** Columns of uPlot that belong to a line: its own, and those of its band. */
export function columnsOf(data: ChartData, key: string): number[] {
  const own = data.lines.findIndex((line) => line.key === key) + 1;
  const band = banded(data).findIndex((line) => line.key === key);
  const first = data.lines.length + 1 + 2 * band;
  return band < 0 ? [own] : [own, first, first + 1];
}

/** Lines with a band: only mine, or the picture would be a fog. */
function banded(data: ChartData) {
  return data.lines.filter((line) => line.ink === 1 && line.lows && line.highs);
}

/** The time axis: the range, but no longer than there is data. */
export function timeSpan(data: ChartData): [number, number] {
  const first = data.times[0];
  const last = data.times.at(-1);
  if (first === undefined || last === undefined) return [0, data.spanSecs];
  const secs = Math.max(last - first, Math.min(AXIS_SECS_MIN, data.spanSecs));
  return [last - secs, last];
}

/** Options of a line plot. */
export function lineOptions(
  size: { width: number; height: number },
  ink: Ink,
  read: () => Sheet,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const { data, isLog } = read();
  const axis = { stroke: ink.text, font: fontOf(ink), ticks: { show: false } } as const;
  const bands = banded(data).map((_, index) => {
    const low = data.lines.length + 1 + 2 * index;
    return { series: [low + 1, low] as [number, number], fill: ink.area };
  });
  return {
    ...size,
    padding: [TOP_PADDING, RIGHT_PADDING, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { time: true, range: () => timeSpan(read().data) },
      y: { distr: isLog ? 3 : 1, range: (_plot, min, max) => valueSpan(read(), min, max) },
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
      {
        ...axis,
        grid: { stroke: ink.grid, width: 1 },
        size: LEFT_AXIS_SIZE,
        space: 42,
        values: (_plot, splits) => (isLog ? logValues : read().unit.axis)(splits, read().unit),
      },
    ],
    series: [
      {},
      ...data.lines.map((line) => lineSeries(line.look ?? "line", line.ink, ink)),
      ...banded(data).flatMap(() => [{ ...UNSEEN }, { ...UNSEEN }]),
    ],
    bands,
    hooks: {
      drawClear: [(plot) => shadePauses(plot, read().data, ink)],
      draw: [(plot) => drawLimit(plot, read().limit, ink)],
      setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
    },
  };
}

/** Lows and highs: only the band between them is seen. */
const UNSEEN: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };

function lineSeries(look: "line" | "area" | "dots", number: InkNumber, ink: Ink): uPlot.Series {
  const stroke = ink.lines[number];
  if (look === "dots") {
    return { stroke, paths: () => null, points: { show: true, size: 4, fill: stroke } };
  }
  const plain = { stroke, width: 1.75, dash: DASHES[number], spanGaps: false } as const;
  const points = { show: false };
  return look === "area" ? { ...plain, points, fill: ink.area } : { ...plain, points };
}

/** The value axis: from zero, unless the chart says otherwise. */
function valueSpan(sheet: Sheet, min: number | null, max: number | null): [number, number] {
  const limit = sheet.limit?.value;
  const high = Math.max(max ?? 0, limit ?? 0);
  const low = Math.min(min ?? high, limit ?? high);
  if (sheet.isLog) {
    const [from, to] = uPlot.rangeLog(low > 0 ? low : 1, high > 0 ? high : 10, 10, true);
    return [from ?? 1, to ?? 10];
  }
  if (sheet.isZeroBased) return [0, high > 0 ? high * 1.15 : 1];
  const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.01, 0.5);
  return [low - room, high + room];
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

/** A logarithmic axis reaches over units: every power of ten names its own. */
function logValues(splits: readonly (number | null)[], unit: Unit): string[] {
  const isPower = (value: number) => Number.isInteger(Number(Math.log10(value).toFixed(6)));
  return splits.map((value) => (value !== null && isPower(value) ? unit.text(value) : ""));
}

function shadePauses(plot: uPlot, data: ChartData, ink: Ink): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.font = fontOf(ink, uPlot.pxRatio);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const pause of data.pauses ?? []) {
    const from = Math.max(plot.valToPos(pause.from, "x", true), bbox.left);
    const to = pause.to === null ? right : Math.min(plot.valToPos(pause.to, "x", true), right);
    if (to <= from) continue;
    ctx.fillStyle = ink.pause;
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    if (to - from < WORD_WIDTH * uPlot.pxRatio) continue;
    ctx.fillStyle = ink.text;
    ctx.fillText(t("chart.pause"), (from + to) / 2, bbox.top + 4);
  }
  ctx.restore();
}

function drawLimit(plot: uPlot, limit: ChartLimit | null, ink: Ink): void {
  if (limit === null) return;
  const { ctx, bbox } = plot;
  const y = plot.valToPos(limit.value, "y", true);
  ctx.save();
  ctx.strokeStyle = ink.limit;
  ctx.fillStyle = ink.limit;
  ctx.font = fontOf(ink, uPlot.pxRatio);
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.textBaseline = "bottom";
  ctx.fillText(limit.label, bbox.left + 4, y - 2);
  ctx.restore();
}
