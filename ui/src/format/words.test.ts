import { describe, expect, it } from "vitest";
import { difficulty } from "./difficulty";
import { shortAddress, shortHash } from "./ident";
import { partyName } from "./party";
import { problemMessage } from "./problem";
import { ago, iso } from "./time";

describe("difficulty", () => {
  it.each([
    [6_980_000, "6.98 M"],
    [1, "1.00"],
    [0.0061, "0.00610"],
    [1.3e14, "130 T"],
    [0, "0"],
  ])("writes %d with three digits", (value, expected) => {
    expect(difficulty(value, "en-US").replace("\u00a0", " ")).toBe(expected);
  });
});

describe("identifiers", () => {
  it("shows an address by its ends", () => {
    expect(shortAddress("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx")).toBe("tb1qw508…7kxpjzsx");
  });

  it("leaves short ones whole", () => {
    expect(shortAddress("tb1qshort")).toBe("tb1qshort");
    expect(shortHash("7fa148")).toBe("7fa148");
  });

  it("shows a hash by its end", () => {
    expect(shortHash(`${"0".repeat(56)}6f7fa148`)).toBe("…6f7fa148");
  });
});

describe("moments", () => {
  const NOW = 1_795_400_000;

  it.each([
    [NOW, "just now"],
    [NOW + 5, "just now"],
    [NOW - 59, "just now"],
    [NOW - 65, "1 min ago"],
    [NOW - 12 * 60 - 30, "12 min ago"],
    [NOW - 3 * 3_600, "3 h ago"],
  ])("are relative under two days", (at, expected) => {
    expect(ago(at, NOW)).toBe(expected);
  });

  it("are dates after that", () => {
    expect(ago(NOW - 3 * 86_400, NOW, "en-US")).toMatch(/2026/);
  });

  it("name their zone in tooltips", () => {
    expect(iso(NOW)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
    expect(Date.parse(iso(NOW))).toBe(NOW * 1000);
  });
});

describe("parties", () => {
  it("have names", () => {
    expect(partyName({ kind: "me" })).toBe("You");
    expect(partyName({ kind: "simulated", number: 2 })).toBe("Simulated member 2");
  });
});

describe("problem messages", () => {
  it("fill in their values", () => {
    const text = problemMessage("S-01", { port: "19332" }, false);
    expect(text).toBe("Another program uses port 19332.");
  });

  it("speak of the practice chain in practice", () => {
    const text = problemMessage("N-01", {}, true);
    expect(text).toContain("practice chain");
    expect(problemMessage("N-01", {}, false)).not.toContain("practice");
  });

  it("say whether damaged settings were restored", () => {
    expect(problemMessage("E-APP-03", { date: "1 May" }, false)).toContain("copy from 1 May");
    expect(problemMessage("E-APP-03", {}, false)).toContain("nothing was started");
  });

  it("stand even if a value is missing or the code is unknown", () => {
    expect(problemMessage("E-APP-01", {}, false)).toContain("…");
    const unknown = problemMessage("Z-99" as never, {}, false);
    expect(unknown).toBe("Something unexpected happened while ….");
  });
});
