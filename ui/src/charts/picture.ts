import { type ChartLine, DASHES } from "./chart";
import { fontOf, type Ink } from "./plot";

const MARGIN = 16;
const TITLE_HEIGHT = 34;
const KEY_HEIGHT = 26;
const KEY_LINE = 22;

/** A plot with its title and its legend as a PNG file, in base 64. */
export function picture(
  plot: HTMLCanvasElement,
  title: string,
  lines: readonly ChartLine[],
  hidden: ReadonlySet<string>,
  ink: Ink,
): string | null {
  const ratio = plot.clientWidth > 0 ? plot.width / plot.clientWidth : 1;
  const canvas = document.createElement("canvas");
  canvas.width = plot.width + 2 * MARGIN * ratio;
  canvas.height = plot.height + (2 * MARGIN + TITLE_HEIGHT + KEY_HEIGHT) * ratio;
  const pen = canvas.getContext("2d");
  if (pen === null) return null;
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = ink.title;
  pen.textBaseline = "top";
  pen.font = fontOf(ink, ratio, 1.3);
  pen.fillText(title, MARGIN * ratio, MARGIN * ratio);
  pen.drawImage(plot, MARGIN * ratio, (MARGIN + TITLE_HEIGHT) * ratio);
  const shown = lines.filter((line) => !hidden.has(line.key));
  drawKeys(pen, shown, ink, ratio, canvas.height - (MARGIN + KEY_HEIGHT / 2) * ratio);
  const url = canvas.toDataURL("image/png");
  return url.slice(url.indexOf(",") + 1);
}

function drawKeys(
  pen: CanvasRenderingContext2D,
  lines: readonly ChartLine[],
  ink: Ink,
  ratio: number,
  y: number,
): void {
  let x = MARGIN * ratio;
  pen.font = fontOf(ink, ratio);
  pen.textBaseline = "middle";
  pen.lineWidth = 2 * ratio;
  for (const line of lines) {
    pen.strokeStyle = ink.lines[line.ink];
    pen.setLineDash(DASHES[line.ink].map((length) => length * ratio));
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + KEY_LINE * ratio, y);
    pen.stroke();
    pen.fillStyle = ink.text;
    x += (KEY_LINE + 8) * ratio;
    pen.fillText(line.label, x, y);
    x += pen.measureText(line.label).width + 24 * ratio;
  }
}
