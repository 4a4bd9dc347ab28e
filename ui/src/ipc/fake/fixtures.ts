import { computer } from "./computer";
import { CATALOGUE } from "../generated/catalogue";
import type { AppSnapshot } from "../generated/AppSnapshot";
import type { ChartRange } from "../generated/ChartRange";
import type { LatestEvent } from "../generated/LatestEvent";
import type { Lights } from "../generated/Lights";
import type { Party } from "../generated/Party";
import type { Payout } from "../generated/Payout";
import type { Problem } from "../generated/Problem";
import type { ProblemCode } from "../generated/ProblemCode";
import type { Series } from "../generated/Series";
import type { SeriesPoint } from "../generated/SeriesPoint";
import type { Shares } from "../generated/Shares";

export const MY_ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
const MEMBER_ADDRESSES = [
  "tb1q9vza2e8x573nczrlzms0wvx3gsqjx7vaxwd45v",
  "tb1qcrh3yqn4nlleplcez2yndq2ry8h9ncg3qh7n54",
  "tb1qr583w2swedy2acd7rung055k8t3n7udp7vyzyg",
];
const SUBSIDY_SATS = 5_000_000_000;

/** A repeatable stand-in for chance. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const RANGES: Record<ChartRange, { span: number; step: number }> = {
  hour1: { span: 3_600, step: 10 },
  hours6: { span: 21_600, step: 60 },
  hours24: { span: 86_400, step: 300 },
  days7: { span: 604_800, step: 1_800 },
  days30: { span: 2_592_000, step: 7_200 },
  year1: { span: 31_536_000, step: 86_400 },
};

/** A chart of a range without data. */
export function emptySeries(range: ChartRange): Series {
  const { span, step } = RANGES[range];
  return {
    range,
    spanSecs: span,
    stepSecs: step,
    points: [],
    pauses: [],
    dataSince: null,
    averageHps: null,
    lowestHps: null,
    highestHps: null,
  };
}

/** A chart with a warm-up, a pause and the noise real work has. */
export function series(now: number, range: ChartRange, hps: number): Series {
  const empty = emptySeries(range);
  const { spanSecs, stepSecs } = empty;
  const end = now - (now % stepSecs);
  const count = Math.floor((spanSecs / stepSecs) * 0.9);
  const roll = dice(7);
  const pauseFrom = Math.floor(count * 0.55);
  const pauseTo = Math.floor(count * 0.62);
  const points: SeriesPoint[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = end - (count - 1 - index) * stepSecs;
    const isPaused = index >= pauseFrom && index < pauseTo;
    const slow = Math.sin(index / 23) * 0.05 + Math.sin(index / 7) * 0.03;
    const noise = (roll() - 0.5) * 0.14;
    const late = roll() < 0.12 ? hps * 0.05 * roll() : 0;
    points.push({
      at,
      mineHps: isPaused ? null : hps * (1 + slow + noise),
      lowHps: isPaused ? null : hps * (0.95 + slow + noise),
      highHps: isPaused ? null : hps * (1.05 + slow + noise),
      lateHps: isPaused ? null : late,
    });
  }
  return {
    ...empty,
    points,
    pauses: [
      {
        from: end - (count - 1 - pauseFrom) * stepSecs,
        to: end - (count - 1 - pauseTo) * stepSecs,
      },
    ],
    dataSince: points[0]?.at ?? null,
    averageHps: hps,
    lowestHps: hps * 0.86,
    highestHps: hps * 1.15,
  };
}

/** The window with `mine` shares of mine. */
export function shares(now: number, mine: number): Shares {
  const secs = 42 * 60;
  const roll = dice(3);
  const marks = Array.from({ length: mine + 3 }, (_, index) => {
    const at = now - Math.floor(secs * (1 - (index + roll()) / (mine + 3.5)));
    const isBlock = index % 11 === 6;
    return { at, kind: isBlock ? "poolBlock" : index % 9 === 4 ? "late" : "good" } as const;
  });
  const others = [61, 55, 48];
  const total = others.reduce((sum, count) => sum + count, mine);
  const rows = [
    ...others.map((count, index) => ({
      party: { kind: "simulated", number: index + 1 } as Party,
      address: MEMBER_ADDRESSES[index] ?? null,
      shares: count,
      part: count / total,
    })),
    ...(mine > 0
      ? [{ party: { kind: "me" } as Party, address: MY_ADDRESS, shares: mine, part: mine / total }]
      : []),
  ].sort((a, b) => b.part - a.part);
  return {
    mineTotal: mine === 0 ? 0 : mine + 14,
    mineLateTotal: mine === 0 ? 0 : 2,
    mineInWindow: mine,
    windowShares: total,
    windowSharesMax: 200,
    windowSecs: secs,
    windowEnd: now,
    marks: mine === 0 ? [] : marks,
    members: rows,
  };
}

/** A pool block `confirmations` deep that paid everybody. */
export function payout(
  now: number,
  height: number,
  confirmations: number,
  mine: number,
  by: Party,
): Payout {
  const fees = (height * 7_919) % 30_011;
  const value = SUBSIDY_SATS + fees;
  const mineSats = Math.floor(value * mine);
  const rest = value - mineSats;
  const parts = [Math.floor(rest * 0.38), Math.floor(rest * 0.33)];
  parts.push(rest - (parts[0] ?? 0) - (parts[1] ?? 0) - 1);
  const payees = parts.map((sats, index) => ({
    party: { kind: "simulated", number: index + 1 } as Party,
    address: MEMBER_ADDRESSES[index] ?? null,
    sats,
    part: sats / value,
  }));
  if (mineSats > 0) {
    payees.push({ party: { kind: "me" }, address: MY_ADDRESS, sats: mineSats, part: mine });
  }
  payees.sort((a, b) => b.sats - a.sats);
  payees.push({ party: { kind: "donation" } as Party, address: null, sats: 1, part: 1 / value });
  return {
    blockHash:
      `00000000${(height * 2_654_435_761).toString(16).padStart(16, "7")}c0ffee41d2b90a6e3f58c7d1b2904e5a6f7fa148`
        .slice(0, 64)
        .padEnd(64, "4"),
    height,
    at: now - confirmations * 190 - 40,
    foundBy: by,
    txid: null,
    unpaid: null,
    mineSats: mineSats > 0 ? mineSats : null,
    minePart: mineSats > 0 ? mine : null,
    valueSats: value,
    subsidySats: SUBSIDY_SATS,
    feesSats: fees,
    isSumExact: true,
    state:
      confirmations >= 100
        ? { kind: "spendable" }
        : { kind: "maturing", confirmations, needed: 100, leftSecs: (100 - confirmations) * 190 },
    payees,
  };
}

export const GOOD_LIGHTS: Lights = {
  node: { state: "ok", height: 131 },
  chain: { state: "ok", shares: 418 },
  members: { state: "ok", connected: 3, incoming: 0 },
  miners: { state: "ok", working: 1, connected: 1 },
};

/** What happened lately, newest first. */
export function latest(now: number): LatestEvent[] {
  const all: [number, LatestEvent["what"]][] = [
    [9, { kind: "shareFound", difficulty: 0.0061 }],
    [
      74,
      {
        kind: "poolBlock",
        height: 131,
        foundBy: { kind: "simulated", number: 2 },
        mineSats: 1_043_219_884,
      },
    ],
    [130, { kind: "shareFound", difficulty: 0.0061 }],
    [205, { kind: "shareLate" }],
    [262, { kind: "shareFound", difficulty: 0.0058 }],
    [425, { kind: "poolBlock", height: 130, foundBy: { kind: "me" }, mineSats: 987_650_011 }],
    [640, { kind: "paymentSpendable", height: 30, mineSats: 912_000_411 }],
    [1_500, { kind: "miningResumed" }],
    [1_740, { kind: "miningPaused" }],
    [
      2_390,
      { kind: "poolBlock", height: 129, foundBy: { kind: "simulated", number: 1 }, mineSats: null },
    ],
    [2_555, { kind: "minerConnected", name: null }],
    [2_560, { kind: "miningStarted" }],
    [2_600, { kind: "memberJoined", party: { kind: "simulated", number: 3 }, connected: 3 }],
    [2_602, { kind: "memberJoined", party: { kind: "simulated", number: 2 }, connected: 2 }],
    [2_603, { kind: "memberJoined", party: { kind: "simulated", number: 1 }, connected: 1 }],
    [2_610, { kind: "practiceStarted", isContinued: false }],
  ];
  return all.map(([age, what], index) => ({ id: all.length - index, at: now - age, what }));
}

/** A present problem of a code. */
export function problem(now: number, code: ProblemCode, id = 1): Problem {
  return {
    id,
    code,
    since: now - 95,
    technical:
      code === "S-01"
        ? "bind 127.0.0.1:19332: address already in use"
        : `raised by script, ${code}`,
    ...CATALOGUE[code],
  };
}

/** Nothing set up. */
export function fresh(now: number): AppSnapshot {
  return {
    seq: 0,
    now,
    version: "0.1.0",
    page: { page: "none" },
    mode: "live",
    overall: { state: "setup" },
    control: { kind: "none" },
    hero: {
      amountSats: null,
      blockPart: null,
      blockValueSats: null,
      leavesWindowSecs: null,
      poolBlockSecs: null,
      poolBlockChance: null,
    },
    effort: { fraction: null, averageSecs: null, shareDifficulty: null },
    rates: {
      mineHps: null,
      mineOverSecs: 0,
      poolHps: null,
      lateFraction: null,
      lateVerdict: "tooEarly",
      efficiency: null,
    },
    series: emptySeries("hour1"),
    shares: { ...shares(now, 0), windowShares: 0, members: [] },
    payouts: { mineTotalSats: 0, blocksTotal: 0, rows: [] },
    lights: {
      node: { state: "off", height: null },
      chain: { state: "off", shares: 0 },
      members: { state: "off", connected: 0, incoming: 0 },
      miners: { state: "off", working: 0, connected: 0 },
    },
    problems: [],
    events: [],
    practice: null,
    theme: "system",
    appearance: {
      amounts: "btc",
      temperature: "celsius",
      textPercent: 100,
      motion: "system",
      colourSafe: true,
    },
    computer: computer(),
  };
}
