import { setupView } from "./pages/setup";
import { CATALOGUE } from "../generated/catalogue";
import type { AppSnapshot } from "../generated/AppSnapshot";
import type { ProblemCode } from "../generated/ProblemCode";
import { fresh, GOOD_LIGHTS, latest, payout, problem, series, shares } from "./fixtures";

const CPU_HPS = 46_400_000;

/** Mining in practice, a share in the window, blocks paid: the fullest page. */
export function earning(now: number): AppSnapshot {
  const me = { kind: "me" } as const;
  const member = (number: number) => ({ kind: "simulated", number }) as const;
  return {
    ...fresh(now),
    mode: "practice",
    overall: { state: "earning" },
    control: { kind: "pause" },
    hero: {
      amountSats: 1_043_219_884,
      blockPart: 0.20864,
      blockValueSats: 5_000_012_300,
      leavesWindowSecs: 2_340,
      poolBlockSecs: 190,
      poolBlockChance: { withinSecs: 600, fraction: 0.957 },
    },
    effort: { fraction: 0.43, averageSecs: 92, shareDifficulty: 0.0061 },
    rates: {
      mineHps: CPU_HPS,
      mineOverSecs: 2_560,
      poolHps: 221_000_000,
      lateFraction: 0.018,
      lateVerdict: "normal",
      efficiency: 1.01,
    },
    series: series(now, "hour1", CPU_HPS),
    shares: shares(now, 32),
    payouts: {
      mineTotalSats: 9_420_512_903,
      blocksTotal: 112,
      rows: [
        payout(now, 131, 1, 0.2086, member(2)),
        payout(now, 130, 2, 0.1975, me),
        payout(now, 129, 3, 0, member(1)),
        { ...payout(now, 128, 4, 0.17, member(3)), state: { kind: "lost" } },
        payout(now, 30, 102, 0.1824, me),
      ],
    },
    lights: GOOD_LIGHTS,
    events: latest(now),
    practice: {
      chain: "testnet4",
      blockSecs: 190,
      shareSecs: 20,
      simulatedMembers: 3,
      threads: 2,
      threadsAvailable: 8,
      helper: "running",
    },
  };
}

/** The practice pool is up; nothing has been mined yet. */
export function ready(now: number): AppSnapshot {
  const { mode, practice } = earning(now);
  const full = shares(now, 0);
  return {
    ...fresh(now),
    mode,
    overall: { state: "waiting_miner", minerUrl: "stratum+tcp://127.0.0.1:19332" },
    control: { kind: "start", waitsFor: [] },
    lights: { ...GOOD_LIGHTS, miners: { state: "off", working: 0, connected: 0 } },
    shares: full,
    events: latest(now).slice(-4),
    practice: practice && { ...practice, helper: "off" },
  };
}

/** Mining, no share yet. */
export function firstShare(now: number): AppSnapshot {
  const full = earning(now);
  return {
    ...ready(now),
    overall: { state: "first_share" },
    control: { kind: "pause" },
    hero: { ...full.hero, amountSats: 0, blockPart: 0, leavesWindowSecs: null },
    effort: { ...full.effort, fraction: 0.61 },
    rates: { ...full.rates, lateFraction: null, lateVerdict: "tooEarly", efficiency: null },
    lights: GOOD_LIGHTS,
    practice: full.practice,
  };
}

function paused(now: number): AppSnapshot {
  const full = earning(now);
  return {
    ...full,
    overall: { state: "paused", sharesCountSecs: 2_340 },
    control: { kind: "resume" },
    rates: { ...full.rates, mineHps: null },
    lights: { ...full.lights, miners: { state: "off", working: 0, connected: 0 } },
    practice: full.practice && { ...full.practice, helper: "off" },
  };
}

function blocked(now: number): AppSnapshot {
  return {
    ...paused(now),
    overall: { state: "blocked", code: "E-APP-04" },
    control: { kind: "start", waitsFor: ["node"] },
    problems: [{ ...problem(now, "E-APP-04"), severity: "error" }],
  };
}

function joining(now: number): AppSnapshot {
  return {
    ...ready(now),
    overall: { state: "joining", sharesDone: 148, sharesTotal: 418 },
    control: { kind: "start", waitsFor: ["shareChain", "template"] },
    shares: fresh(now).shares,
    lights: {
      ...GOOD_LIGHTS,
      chain: { state: "working", shares: 148 },
      miners: { state: "off", working: 0, connected: 0 },
    },
  };
}

function live(now: number): AppSnapshot {
  const full = earning(now);
  const month = 30 * 86_400;
  return {
    ...full,
    mode: "live",
    practice: null,
    hero: {
      amountSats: 35_988,
      blockPart: 0.000_115,
      blockValueSats: 312_900_000,
      leavesWindowSecs: 28 * 3_600,
      poolBlockSecs: 335 * 86_400,
      poolBlockChance: { withinSecs: month, fraction: 0.09 },
    },
    effort: { fraction: 1.34, averageSecs: 5.8 * 86_400, shareDifficulty: 140_000_000 },
    rates: { ...full.rates, mineHps: 1.21e12, mineOverSecs: 3_600, poolHps: 20.1e15 },
    series: series(now, "hours24", 1.21e12),
    shares: {
      ...full.shares,
      mineTotal: 7,
      mineInWindow: 1,
      windowShares: 8_640,
      windowSharesMax: 8_640,
      windowSecs: 72 * 3_600,
    },
  };
}

function problems(now: number, ...codes: ProblemCode[]): AppSnapshot {
  return {
    ...earning(now),
    overall: { state: "degraded", hasShareInWindow: true },
    problems: codes.map((code, index) => problem(now, code, index + 1)),
  };
}

/** One script per overall state and look. */
export const SCRIPTS = {
  setup: unset,
  node_down: (now: number): AppSnapshot => ({
    ...paused(now),
    overall: { state: "node_down", since: now - 260 },
    control: { kind: "armed", waitsFor: ["node", "template"] },
    lights: { ...GOOD_LIGHTS, node: { state: "stopped", height: null } },
    problems: [problem(now, "N-01")],
  }),
  node_syncing: (now: number): AppSnapshot => ({
    ...joining(now),
    mode: "live",
    practice: null,
    overall: { state: "node_syncing", progress: 0.63, remainingSecs: 172_000 },
    control: { kind: "armed", waitsFor: ["nodeSync", "shareChain"] },
    lights: { ...joining(now).lights, node: { state: "working", height: 612_400 } },
  }),
  starting: (now: number): AppSnapshot => ({
    ...joining(now),
    overall: { state: "joining", sharesDone: null, sharesTotal: null },
    control: { kind: "armed", waitsFor: ["node", "shareChain", "template"] },
  }),
  joining,
  no_members: (now: number): AppSnapshot => ({
    ...ready(now),
    overall: { state: "no_members", tried: 12 },
    control: { kind: "armed", waitsFor: ["members"] },
    lights: { ...GOOD_LIGHTS, members: { state: "attention", connected: 0, incoming: 0 } },
  }),
  waiting_miner: (now: number): AppSnapshot => ({ ...ready(now), control: { kind: "pause" } }),
  ready,
  first_share: firstShare,
  between: (now: number): AppSnapshot => ({
    ...firstShare(now),
    overall: { state: "between", lastLeftAt: now - 400 },
    effort: { fraction: 1.72, averageSecs: 2_400, shareDifficulty: 0.0061 },
    shares: { ...shares(now, 0), mineTotal: 14, mineLateTotal: 1 },
  }),
  earning,
  live,
  paused,
  degraded: (now: number): AppSnapshot => problems(now, "E-CPU-01", "E-APP-01"),
  blocked,
  /** Nobody answers the subscription. */
  loading: fresh,
  /** The subscription is refused. */
  "W-01": fresh,
  /** The first snapshot is the last word. */
  stale: earning,
} as const;

/** Name of a script: a look of the window, or a code of the error catalogue. */
export type ScriptName = keyof typeof SCRIPTS | ProblemCode;

/** Whether a word names a script. */
export function isScriptName(word: string): word is ScriptName {
  return Object.hasOwn(SCRIPTS, word) || Object.hasOwn(CATALOGUE, word);
}

/** The state that a script begins with; that of a code is a live pool with this one problem. */
export function beginning(name: ScriptName, now: number): AppSnapshot {
  return isLook(name) ? SCRIPTS[name](now) : { ...live(now), ...troubled(now, name) };
}

function isLook(name: ScriptName): name is keyof typeof SCRIPTS {
  return Object.hasOwn(SCRIPTS, name);
}

function troubled(now: number, code: ProblemCode): Pick<AppSnapshot, "overall" | "problems"> {
  const { overall, problems: list } = problems(now, code);
  return { overall, problems: list };
}

/** Nothing set up: the set-up is open. */
function unset(now: number): AppSnapshot {
  return { ...fresh(now), page: { page: "setup", view: setupView() } };
}
