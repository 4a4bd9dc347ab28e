import { describe, expect, it } from "vitest";
import { logBefore, logLine } from "../ipc/fake/log";
import type { AppReply } from "../ipc/generated/AppReply";
import type { CheckUpRequest } from "../ipc/generated/CheckUpRequest";
import { LOG_LINES_MAX, LogStore } from "./log.svelte";

const NOW = 1_795_400_000;

function setUp(total: number) {
  const asked: CheckUpRequest[] = [];
  const log = new LogStore((ask): Promise<AppReply> => {
    asked.push(ask);
    if (ask.kind !== "readLog") return Promise.resolve({ kind: "done" });
    return Promise.resolve({ kind: "log", log: logBefore(ask.before, NOW, total) });
  });
  return { asked, log };
}

const numbers = (log: LogStore) => log.shown.map((line) => line.number);

describe("the log", () => {
  it("asks to be shown first, then reads every older line, 100,000 at most", async () => {
    const { asked, log } = setUp(LOG_LINES_MAX + 5_000);
    log.choose({ level: "trace" });
    await log.open();
    expect(asked[0]).toEqual({ kind: "showLog", isShown: true });
    expect(asked).toHaveLength(1 + LOG_LINES_MAX / 5_000);
    expect(log.count).toBe(LOG_LINES_MAX);
    expect(numbers(log)).toEqual(Array.from({ length: LOG_LINES_MAX }, (_, at) => at + 5_001));
  });

  it("adds each new line once, and forgets the oldest for it", async () => {
    const { log } = setUp(LOG_LINES_MAX);
    log.choose({ level: "trace" });
    await log.open();
    log.append([logLine(LOG_LINES_MAX, NOW), logLine(LOG_LINES_MAX + 1, NOW)]);
    expect(log.count).toBe(LOG_LINES_MAX);
    expect(numbers(log).at(0)).toBe(2);
    expect(numbers(log).at(-1)).toBe(LOG_LINES_MAX + 1);
  });

  it("puts lines that overtake the first answer in their place", async () => {
    const { log } = setUp(10);
    log.choose({ level: "trace" });
    const opened = log.open();
    log.append([logLine(10, NOW), logLine(11, NOW)]);
    await opened;
    expect(numbers(log)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("shows what passes level, source and search", async () => {
    const { log } = setUp(700);
    await log.open();
    expect(new Set(log.shown.map((line) => line.level))).toEqual(new Set(["info", "warn", "error"]));
    log.choose({ source: "node" });
    expect(log.shown).toHaveLength(200);
    log.choose({ level: "error" });
    expect(log.shown).toHaveLength(100);
    log.choose({ level: "trace", source: "all", search: " GetBlockTemplate " });
    expect(log.shown).toHaveLength(100);
    log.choose({ search: "nobody says this" });
    expect(log.shown).toHaveLength(0);
  });

  it("stands still while paused, whatever is chosen, and then shows what came", async () => {
    const { log } = setUp(5);
    log.choose({ level: "trace" });
    await log.open();
    log.pause(true);
    log.append([logLine(6, NOW)]);
    expect(numbers(log)).toEqual([1, 2, 3, 4, 5]);
    log.choose({ search: "" });
    expect(numbers(log)).toEqual([1, 2, 3, 4, 5]);
    log.pause(false);
    expect(numbers(log)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("keeps nothing, reads nothing and takes nothing once closed", async () => {
    const { asked, log } = setUp(LOG_LINES_MAX);
    const opened = log.open();
    log.close();
    await opened;
    log.append([logLine(1, NOW)]);
    expect(log.count).toBe(0);
    expect(log.shown).toHaveLength(0);
    expect(asked).toEqual([
      { kind: "showLog", isShown: true },
      { kind: "showLog", isShown: false },
    ]);
    log.again();
    expect(asked).toHaveLength(2);
  });
});
