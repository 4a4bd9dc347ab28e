import { HUES } from "./hue";
import type { Cell } from "./window.svelte";

/** Sizes of a cell with its gap, in pixels of the page. */
export const SIZES = [7, 10, 14, 20, 28] as const;
const GAP = 1;

/** Where cells are: a pure function of width and size. */
export interface Layout {
  readonly columns: number;
  readonly rows: number;
  readonly size: number;
}

export function layout(width: number, size: number, count: number): Layout {
  const columns = Math.max(1, Math.floor(width / size));
  return { columns, rows: Math.ceil(count / columns), size };
}

/** The cell at a place of the whole grid; `null` beside it. */
export function cellAt(grid: Layout, x: number, y: number, count: number): number | null {
  const column = Math.floor(x / grid.size);
  const place = Math.floor(y / grid.size) * grid.columns + column;
  return x >= 0 && y >= 0 && column < grid.columns && place < count ? place : null;
}

/** The place that a key leads to; `null` if it is no key of the grid. */
export function moved(grid: Layout, from: number, key: string, count: number): number | null {
  const page = grid.columns * 10;
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: grid.columns,
    ArrowUp: -grid.columns,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, from + step));
}

/** The next share of mine in a direction, from a place; `null` if there is none. */
export function nextMine(cells: readonly Cell[], from: number, step: 1 | -1): number | null {
  for (let at = from + step; at >= 0 && at < cells.length; at += step) {
    if (cells[at]?.isMine === true) return at;
  }
  return null;
}

/** Colours of the grid, as the theme has them. */
export interface Palette {
  readonly hues: readonly string[];
  readonly mine: string;
  readonly line: string;
  readonly ground: string;
}

/** What of the grid is seen, in pixels of the page. */
export interface Sight {
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Draws what is seen. Colour changes are dear, so that cells of one colour are drawn together. */
export function draw(
  pen: CanvasRenderingContext2D,
  cells: readonly Cell[],
  grid: Layout,
  sight: Sight,
  palette: Palette,
  chosen: number | null,
): void {
  pen.clearRect(0, 0, sight.width, sight.height);
  const first = Math.floor(sight.top / grid.size) * grid.columns;
  const last = Math.min(cells.length, Math.ceil((sight.top + sight.height) / grid.size) * grid.columns);
  const x = (at: number) => (at % grid.columns) * grid.size;
  const y = (at: number) => Math.floor(at / grid.columns) * grid.size - sight.top;
  const side = grid.size - GAP;
  const byHue = Array.from({ length: HUES }, (): number[] => []);
  const mine: number[] = [];
  const special: number[] = [];
  for (let at = first; at < last; at += 1) {
    const cell = cells[at];
    if (cell === undefined) continue;
    if (cell.isMine) mine.push(at);
    else byHue[cell.hue]?.push(at);
    if (cell.isLate || cell.isBlock) special.push(at);
  }
  byHue.forEach((places, hue) => {
    if (places.length === 0) return;
    pen.fillStyle = palette.hues[hue] ?? palette.line;
    for (const at of places) pen.fillRect(x(at), y(at), side, side);
  });
  pen.fillStyle = palette.mine;
  pen.strokeStyle = palette.line;
  pen.lineWidth = 2;
  for (const at of mine) {
    pen.fillRect(x(at), y(at), side, side);
    pen.strokeRect(x(at) + 1, y(at) + 1, side - 2, side - 2);
  }
  // All stripes in one stroke.
  pen.strokeStyle = palette.ground;
  pen.lineWidth = Math.max(1, side / 7);
  pen.beginPath();
  for (const at of special) if (cells[at]?.isLate === true) hatch(pen, x(at), y(at), side);
  pen.stroke();
  for (const at of special) {
    if (cells[at]?.isBlock === true) diamond(pen, x(at), y(at), side, palette);
  }
  if (chosen !== null) {
    pen.lineWidth = 2;
    pen.strokeStyle = palette.line;
    pen.strokeRect(x(chosen) - 1, y(chosen) - 1, side + 2, side + 2);
  }
}

function hatch(pen: CanvasRenderingContext2D, x: number, y: number, side: number): void {
  for (const part of [0.5, 1, 1.5]) {
    const reach = side * part;
    pen.moveTo(x + Math.max(0, reach - side), y + Math.min(reach, side));
    pen.lineTo(x + Math.min(reach, side), y + Math.max(0, reach - side));
  }
}

function diamond(pen: CanvasRenderingContext2D, x: number, y: number, side: number, palette: Palette): void {
  const half = side / 2;
  pen.fillStyle = palette.ground;
  pen.fillRect(x, y, side, side);
  pen.fillStyle = palette.line;
  pen.beginPath();
  pen.moveTo(x + half, y);
  pen.lineTo(x + side, y + half);
  pen.lineTo(x + half, y + side);
  pen.lineTo(x, y + half);
  pen.fill();
}

/** Colours of the theme in force, read from an element that probes them. */
export function palette(probe: HTMLElement): Palette {
  const style = getComputedStyle(probe);
  const hues = Array.from({ length: HUES }, (_, hue) => {
    probe.style.setProperty("--hue", String((hue * 360) / HUES));
    return style.color;
  });
  const token = (name: string) => style.getPropertyValue(name).trim();
  return { hues, mine: token("--accent"), line: token("--text"), ground: token("--surface-1") };
}
