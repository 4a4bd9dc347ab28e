import type { AppReply } from "../../generated/AppReply";
import type { CheckUpRequest } from "../../generated/CheckUpRequest";
import type { CheckUp } from "../../generated/CheckUp";
import type { HealthLine } from "../../generated/HealthLine";
import type { Rung } from "../../generated/Rung";
import { logBefore } from "../log";
import type { CheckName } from "../../generated/CheckName";
import type { CheckResult } from "../../generated/CheckResult";

const DAY = 86_400;

function line(
  subject: HealthLine["subject"],
  state: HealthLine["state"],
  text: HealthLine["text"],
  changedAt: number | null = null,
): HealthLine {
  return { subject, of: "", state, text, changedAt, problem: null };
}

/** A live pool that runs well and has not found a first share. */
export function checkUp(now: number): CheckUp {
  const miner = { kind: "minerWorking", name: "bitaxe", hps: 1.21e12, latePart: 0.018 } as const;
  return {
    health: [
      line("bitcoinNode", "ok", {
        kind: "nodeReady",
        program: "Satoshi 30.0.0",
        height: 975_120,
        answerMs: 3,
      }),
      line("clock", "ok", { kind: "clockRight", offSecs: 1 }),
      line("shareChain", "ok", { kind: "chainReady", shares: 8_640, newestSecs: 12 }),
      line(
        "members",
        "attention",
        { kind: "membersConnected", connected: 2, incoming: 0 },
        now - 1_900,
      ),
      line("minersDoor", "ok", {
        kind: "doorOpen",
        address: "192.168.1.20:9332",
        phoneSeenAt: now - 2 * DAY,
      }),
      { ...line("miner", "ok", miner), of: "bitaxe" },
      line("payoutAddress", "ok", {
        kind: "addressPaid",
        address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
      }),
      line("disk", "ok", { kind: "diskFree", bytes: 182_400_000_000 }),
      line("sleep", "ok", { kind: "sleepHeld" }),
      line("updates", "ok", { kind: "updatesByHand", version: "0.1.0" }),
    ],
    tests: { isRunning: false, endedAt: now - 130, results: results("passed") },
    ladder: {
      reached: 5,
      open: { kind: "firstShare", effort: 0.89, averageSecs: 25_054, noneYetPart: 0.41 },
    },
    late: {
      latePart: 0.018,
      isHigh: false,
      causes: [
        { measure: { kind: "fewMembers", connected: 2 }, isCause: true },
        { measure: { kind: "nodeAnswer", answerMs: 84, isRemote: false }, isCause: false },
        { measure: { kind: "computerBusy", waitMs: 6 }, isCause: false },
      ],
    },
    unpaid: {
      windowSecs: 3 * DAY,
      shares: [
        { hash: `${"0".repeat(56)}6f7fa148`, foundAt: now - 9_000, leftAt: now + 250_000, blocks: 0 },
        { hash: `${"0".repeat(56)}11d2ab90`, foundAt: now - 9 * DAY, leftAt: now - 6 * DAY, blocks: 1 },
        { hash: `${"0".repeat(56)}93e07c55`, foundAt: now - 20 * DAY, leftAt: null, blocks: 0 },
      ],
    },
  };
}

const NAMES: readonly CheckName[] = [
  "nodePort",
  "nodeLogin",
  "nodeChain",
  "nodeConnections",
  "nodeTemplate",
  "nodeNewBlocks",
  "clock",
  "member",
  "door",
  "disk",
];

/** Every test with one outcome. */
export function results(outcome: CheckResult["outcome"]): CheckResult[] {
  return NAMES.map((test, index) => ({ test, outcome, tookMs: 3 + 9 * index, technical: "" }));
}

/** One rung of each kind, in the order of the ladder. */
export function rungs(now: number): Rung[] {
  return [
    { kind: "node", progress: 0.63 },
    { kind: "pool", members: 7, done: 4_210, total: 8_640 },
    { kind: "miner", minerUrl: "stratum+tcp://192.168.1.20:9332", isStopped: false },
    { kind: "results", connected: 1 },
    { kind: "inTime", latePart: 0.31 },
    { kind: "firstShare", effort: 0.89, averageSecs: 25_054, noneYetPart: 0.41 },
    {
      kind: "inWindow",
      lastLeftAt: now - 500_000,
      averageSecs: 500_000,
      windowSecs: 3 * DAY,
      isNormal: true,
    },
    {
      kind: "poolBlock",
      effort: 0.12,
      averageSecs: 335 * DAY,
      chance: { withinSecs: 30 * DAY, fraction: 0.0857 },
    },
    { kind: "payment", sats: 35_988, confirmations: 12, needed: 100 },
  ];
}

/** What the application answers. */
export function checkUpReply(ask: CheckUpRequest, now: number): AppReply {
  switch (ask.kind) {
    case "previewReport": {
      const address = ask.shows.addresses ? "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" : "[address]";
      const files = [
        { name: "versions.txt", bytes: 41, beginning: "P2Pool Desktop 0.1.0\nlinux x86_64\n" },
        { name: "log.txt", bytes: 18_000, beginning: `1800000000 Info pays ${address} | app\n` },
      ];
      return { kind: "report", preview: { files } };
    }
    case "saveReport":
      return { kind: "saved", path: "~/Downloads/p2pool-desktop-report-1800000000.zip" };
    case "readLog":
      return { kind: "log", log: logBefore(ask.before, now) };
    case "runTests":
    case "showLog":
      return { kind: "done" };
  }
}
