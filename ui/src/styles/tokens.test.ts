import { describe, expect, it } from "vitest";
import css from "./tokens.css?raw";

/** The colours of one theme's block. */
function theme(selector: string): Map<string, string> {
  const start = css.indexOf(selector);
  const block = css.slice(start, css.indexOf("}", start));
  const pairs = [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)];
  return new Map(pairs.map((match) => [match[1] ?? "", match[2] ?? ""]));
}

/** Relative luminance as in WCAG 2.2. */
function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const SURFACES = ["bg", "surface-1", "surface-2"];
const LEAST: [string, number][] = [
  ["text", 12.9],
  ["text-muted", 6.2],
  ["accent", 5.1],
  ["ok", 5.1],
  ["warn", 5.1],
  ["error", 5.1],
  ["info", 5.1],
  ["practice", 5.1],
  ["border", 3.4],
];

describe.each([
  ["dark", ':root[data-theme="dark"]'],
  ["light", ':root[data-theme="light"]'],
])("the %s theme", (_name, selector) => {
  const colours = theme(selector);
  const colour = (name: string) => {
    const found = colours.get(name);
    if (found === undefined) throw new Error(`the theme has no --${name}`);
    return found;
  };

  it.each(LEAST)("keeps %s readable on every surface (%d)", (name, least) => {
    for (const surface of SURFACES) {
      expect(contrast(colour(name), colour(surface))).toBeGreaterThanOrEqual(least);
    }
  });

  it("keeps the primary button readable", () => {
    expect(contrast(colour("on-accent"), colour("accent"))).toBeGreaterThanOrEqual(5.1);
  });
});
