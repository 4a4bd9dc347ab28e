import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";
import { logBefore, logLine } from "../../ipc/fake/log";
import type { AppReply } from "../../ipc/generated/AppReply";
import type { CheckUpRequest } from "../../ipc/generated/CheckUpRequest";
import { LOG_LINES_MAX, LogStore } from "../../stores/log.svelte";
import { t } from "../../text";
import LogCard from "./LogCard.svelte";

const NOW = 1_795_400_000;
const ROWS_MAX = 100;
const byId = (id: string) => screen.getByTestId(id);
const rows = () => [...byId("log-lines").querySelectorAll("li")];

async function open(total: number) {
  const asked: CheckUpRequest[] = [];
  const log = new LogStore((ask): Promise<AppReply> => {
    asked.push(ask);
    if (ask.kind !== "readLog") return Promise.resolve({ kind: "done" });
    return Promise.resolve({ kind: "log", log: logBefore(ask.before, NOW, total) });
  });
  log.choose({ level: "trace" });
  const { unmount } = render(LogCard, { props: { log } });
  await vi.waitFor(() => expect(log.count).toBe(total));
  await tick();
  return { asked, log, unmount };
}

describe("the log's card", () => {
  it("draws only the rows that are seen, of 100,000 lines", async () => {
    const { log } = await open(LOG_LINES_MAX);
    expect(log.shown).toHaveLength(LOG_LINES_MAX);
    expect(byId("log-count").textContent).toContain("100,000");
    expect(rows().length).toBeGreaterThan(0);
    expect(rows().length).toBeLessThan(ROWS_MAX);
    const box = byId("log-lines");
    box.scrollTop = 50_000 * 18;
    await fireEvent.scroll(box);
    expect(rows().length).toBeLessThan(ROWS_MAX);
    // The line at the top of the box, some spare rows above it.
    const line = log.shown[50_000];
    expect(line).toBeDefined();
    expect(rows()[20]?.textContent).toContain(line?.message);
    expect(rows()[20]?.className).toContain(line?.level);
  });

  it("tells warnings and errors by words, and the raw view everything", async () => {
    await open(7);
    const text = () => rows().map((row) => row.textContent ?? "");
    expect(text()[2]).toContain("Warning: a member was slow");
    expect(text()[5]).toContain("Error: no answer");
    expect(text()[5]).not.toContain("p2pool_bitcoind::rpc");
    await fireEvent.click(byId("log-raw"));
    expect(text()[5]).toContain("ERROR node   no answer within 10 seconds");
    expect(text()[5]).toContain("p2pool_bitcoind::rpc: call=getblocktemplate");
  });

  it("filters by level, source and search, and says when nothing is left", async () => {
    await open(70);
    await fireEvent.change(byId("log-level"), { target: { value: "warn" } });
    expect(rows()).toHaveLength(20);
    await fireEvent.change(byId("log-source"), { target: { value: "pool" } });
    expect(rows()).toHaveLength(10);
    await fireEvent.input(byId("log-search"), { target: { value: "xyz" } });
    expect(rows()).toHaveLength(0);
    expect(screen.getByText(t("log.empty"))).toBeTruthy();
  });

  it("pauses and goes on", async () => {
    const { log } = await open(5);
    await fireEvent.click(byId("log-pause"));
    log.append([logLine(6, NOW)]);
    await tick();
    expect(rows()).toHaveLength(5);
    await fireEvent.click(byId("log-pause"));
    expect(rows()).toHaveLength(6);
  });

  it("copies the lines that pass, with their day", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    await open(7);
    await fireEvent.change(byId("log-level"), { target: { value: "error" } });
    await fireEvent.click(byId("log-copy"));
    await vi.waitFor(() => expect(byId("log-copy").textContent).toContain(t("log.copied")));
    vi.unstubAllGlobals();
    const said = "Error: no answer within 10 seconds, asked again";
    expect(writeText).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(`^20.*T.*  ${said}$`));
  });

  it("has lines sent only while it is there", async () => {
    const { asked, log, unmount } = await open(5);
    expect(asked[0]).toEqual({ kind: "showLog", isShown: true });
    unmount();
    expect(asked.at(-1)).toEqual({ kind: "showLog", isShown: false });
    expect(log.count).toBe(0);
  });
});
