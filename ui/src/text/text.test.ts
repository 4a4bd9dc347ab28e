import { describe, expect, it } from "vitest";
import { catalogue } from "./catalogue";
import { fill } from "./icu";
import { t } from "./index";

const TEXTS = Object.entries(catalogue);
const names = (text: string) => [...text.matchAll(/\{(\w+)[},]/g)].map((match) => match[1] ?? "");

describe("fill", () => {
  it("puts values in", () => {
    expect(fill("{a} of {b}", { a: "1", b: "2" }, "en")).toBe("1 of 2");
  });

  it("chooses the plural and groups the number", () => {
    const text = "{count, plural, one {# share} other {# shares}} left";
    expect(fill(text, { count: 1 }, "en", "en-US")).toBe("1 share left");
    expect(fill(text, { count: 8640 }, "en", "en-US")).toBe("8,640 shares left");
  });

  it("refuses to leave a gap", () => {
    expect(() => fill("{a}", {}, "en")).toThrow("{a}");
  });
});

describe("the catalogue", () => {
  it("can be filled, every text of it", () => {
    for (const [key, text] of TEXTS) {
      const values = Object.fromEntries(names(text).map((name) => [name, 3]));
      expect(t(key as keyof typeof catalogue, values), key).not.toMatch(/[{}]/);
    }
  });

  it("promises no money", () => {
    for (const [key, text] of TEXTS) {
      expect(text, key).not.toMatch(/\b(balance|pending|guaranteed|profit|owed)/i);
      expect(text, key).not.toMatch(/you will earn/i);
    }
  });

  it("does not shout", () => {
    for (const [key, text] of TEXTS) expect(text, key).not.toContain("!");
  });

  it("never says an error is unknown", () => {
    const problems = TEXTS.filter(([key]) => key.startsWith("problem."));
    for (const [, text] of problems) expect(text).not.toMatch(/unknown error/i);
  });
});
