import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";
import { SCRIPTS } from "../../ipc/fake/scripts";
import { problem } from "../../ipc/fake/fixtures";
import { checkUp, checkUpReply, results, rungs } from "../../ipc/fake/pages/checkUp";
import type { AppRequest } from "../../ipc/generated/AppRequest";
import type { CheckUp as View } from "../../ipc/generated/CheckUp";
import type { Problem } from "../../ipc/generated/Problem";
import { t } from "../../text";
import CheckUp from "./CheckUp.svelte";
import { rungSentence } from "./words";

const NOW = 1_795_400_000;
const byId = (id: string) => screen.getByTestId(id);

function open(change: Partial<View> = {}, problems: Problem[] = []) {
  const asked: AppRequest[] = [];
  const pressed: string[] = [];
  const view = { ...SCRIPTS.live(NOW), problems };
  render(CheckUp, {
    props: {
      view: { ...view, page: { page: "checkUp", view: { ...checkUp(NOW), ...change } } },
      now: NOW,
      look: "dark",
      ask: (request) => {
        asked.push(request);
        return Promise.resolve(request.kind === "checkUp" ? checkUpReply(request.ask, NOW) : null);
      },
      act: (_, action) => pressed.push(action),
      show: () => {},
    },
  });
  return { asked, pressed };
}

describe("the health list", () => {
  it("says one sentence a subject, in its order", () => {
    open();
    const lines = screen.getAllByTestId(/^health-/).map((line) => line.dataset["testid"]);
    expect(lines).toEqual([
      "health-bitcoinNode",
      "health-clock",
      "health-shareChain",
      "health-members",
      "health-minersDoor",
      "health-miner",
      "health-payoutAddress",
      "health-disk",
      "health-sleep",
      "health-updates",
    ]);
    expect(byId("health-bitcoinNode").textContent).toContain("answers in 3 ms");
    expect(byId("health-members").dataset["state"]).toBe("attention");
    expect(byId("health-members").textContent).toContain("since 31 min ago");
  });

  it("offers the first button of the problem behind a line", async () => {
    const late = { ...problem(NOW, "M-04", 5), values: { name: "bitaxe", percent: "31" } };
    const health = checkUp(NOW).health.map((line) =>
      line.subject === "miner"
        ? { ...line, state: "attention" as const, text: { kind: "problem" as const }, problem: 5 }
        : line,
    );
    const { pressed } = open({ health }, [late]);
    expect(byId("health-miner").textContent).toContain("31 % of bitaxe's work arrives too late.");
    await fireEvent.click(byId("fix-miner"));
    expect(pressed).toEqual(["findCause"]);
  });

  it("runs all tests and shows what each found", async () => {
    const { asked } = open({
      tests: { isRunning: false, endedAt: NOW - 60, results: results("weak") },
    });
    expect(byId("tests-state").textContent).toContain("10 tests need attention");
    await fireEvent.click(byId("details-bitcoinNode"));
    await tick();
    const line = within(byId("health-bitcoinNode"));
    expect(line.getByText(t("checkUp.test.nodeTemplate"))).toBeTruthy();
    await fireEvent.click(byId("run-tests"));
    expect(asked).toEqual([{ kind: "checkUp", ask: { kind: "runTests" } }]);
  });
});

describe("the ladder", () => {
  const RUNGS = rungs(NOW).map((rung, index) => ({ rung, number: index + 1 }));

  it.each(RUNGS)("A33 opens rung $number and greys what follows", ({ rung, number }) => {
    open({ ladder: { reached: number - 1, open: rung } });
    expect(byId(`rung-${number}`).getAttribute("aria-current")).toBe("step");
    expect(byId("rung-open").textContent).toBe(rungSentence(rung));
    for (let other = 1; other <= 9; other += 1) {
      expect(byId(`rung-${other}`).classList.contains("reached")).toBe(other < number);
      expect(byId(`rung-${other}`).classList.contains("later")).toBe(other > number);
    }
  });

  it("keeps its two notes on every rung and on top", () => {
    open({ ladder: { reached: 9, open: null } });
    expect(byId("ladder-top").textContent).toBe(t("ladder.top"));
    expect(screen.getByText(t("ladder.note.hashrate"))).toBeTruthy();
    expect(screen.getByText(t("ladder.note.restart"))).toBeTruthy();
  });

  it("says how many like me have no share yet", () => {
    open();
    expect(byId("rung-open").textContent).toContain("41\u00a0% of miners like you have none yet");
  });
});

describe("late work", () => {
  it("A32 names what was measured, likely causes marked", () => {
    open({ late: { ...checkUp(NOW).late, latePart: 0.31, isHigh: true } });
    expect(byId("late-verdict").textContent).toContain("31\u00a0%");
    const causes = [...byId("late-causes").children].map((line) => (line as HTMLElement).dataset);
    expect(causes.map(({ cause }) => cause)).toEqual(["true", "false", "false"]);
    expect(byId("late-causes").textContent).toContain(t("late.fewMembers.why"));
  });
});

describe("shares found but not paid", () => {
  it("tells each share, its time in the window and the blocks meanwhile", () => {
    open();
    const rows = within(byId("unpaid-shares")).getAllByRole("row");
    expect(rows).toHaveLength(4);
    expect(rows[2]?.lastElementChild?.textContent).toBe("1");
    expect(rows[3]?.textContent).toContain(t("unpaid.left.late"));
  });
});

describe("the report", () => {
  it("A36 shows its files before it is saved, masked unless ticked", async () => {
    const { asked } = open();
    await fireEvent.click(byId("report-preview"));
    await tick();
    expect(byId("report-files").textContent).toContain("[address]");
    await fireEvent.click(byId("report-addresses"));
    expect(screen.queryByTestId("report-files")).toBeNull();
    await fireEvent.click(byId("report-preview"));
    await tick();
    expect(byId("report-files").textContent).toContain("bc1qw508");
    await fireEvent.click(byId("report-save"));
    await tick();
    expect(byId("report-saved").textContent).toContain(".zip");
    const shows = { addresses: true, ips: false, hosts: false };
    expect(asked.at(-1)).toEqual({ kind: "checkUp", ask: { kind: "saveReport", shows } });
  });
});
