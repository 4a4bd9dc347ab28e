import { cleanup } from "@testing-library/svelte";
import { afterEach, vi } from "vitest";

// uPlot draws on a canvas, which the test document has no pen for: every stroke is accepted.
const pen: CanvasRenderingContext2D = new Proxy({} as CanvasRenderingContext2D, {
  get: (_pen, name) => (name === "measureText" ? () => ({ width: 10 }) : () => {}),
  set: () => true,
});
vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => pen) as never);
vi.stubGlobal(
  "Path2D",
  class {
    moveTo(): void {}
    lineTo(): void {}
    rect(): void {}
    arc(): void {}
    closePath(): void {}
    addPath(): void {}
  },
);

afterEach(() => cleanup());
