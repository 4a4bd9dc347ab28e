import type { Calculation } from "../../generated/Calculation";
import type { ExpectedMonth } from "../../generated/ExpectedMonth";
import type { MonthSum } from "../../generated/MonthSum";
import type { MyShare } from "../../generated/MyShare";
import type { MyShareState } from "../../generated/MyShareState";
import type { Payout } from "../../generated/Payout";
import type { PayoutsTab } from "../../generated/PayoutsTab";
import type { PayoutsView } from "../../generated/PayoutsView";
import { payout } from "../fixtures";

const DAY = 86_400;
const POOL_HPS = 20e15;
const SHARE_SECS = 30;
const WINDOW_SECS = 72 * 3_600;
const BLOCK_SECS = 335 * DAY;
const NETWORK_HASHES = POOL_HPS * BLOCK_SECS;
const VALUE_SATS = 312_900_000;

function row(now: number, days: number, height: number, part: number, over: Partial<Payout>) {
  const paid = payout(now - days * DAY, height, 1, part, { kind: "member" });
  return { ...paid, txid: "4a".repeat(32), ...over };
}

/** Payments as they are after a year: one maturing, old ones, a lost block, one without me. */
function rows(now: number): Payout[] {
  return [
    row(now, 0.4, 975_031, 0.000_12, {
      state: { kind: "maturing", confirmations: 41, needed: 100, leftSecs: 59 * 600 },
    }),
    row(now, 100, 960_502, 0.000_2, { state: { kind: "lost" } }),
    row(now, 150, 955_609, 0.000_35, { state: { kind: "spendable" } }),
    row(now, 205, 947_377, 0, {
      state: { kind: "spendable" },
      unpaid: { kind: "shareLeft", lastShareAt: now - 212 * DAY },
    }),
    row(now, 380, 921_008, 0, {
      state: { kind: "spendable" },
      unpaid: { kind: "noShareYet" },
    }),
  ];
}

/** First second of the month `back` months before. */
function monthAt(now: number, back: number): number {
  const date = new Date(now * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back) / 1000;
}

function received(now: number): PayoutsView {
  const all = rows(now);
  const paid = all.filter(({ mineSats, state }) => mineSats !== null && state.kind !== "lost");
  const months: MonthSum[] = [
    { month: monthAt(now, 0), blocks: 1, sats: paid[0]?.mineSats ?? 0 },
    { month: monthAt(now, 5), blocks: 1, sats: paid[1]?.mineSats ?? 0 },
  ];
  return {
    kind: "received",
    value: {
      pages: { page: 0, pages: 1, rows: all.length },
      rows: all,
      mineTotalSats: months.reduce((sum, { sats }) => sum + sats, 0),
      months,
      lastBlock: { height: all[0]?.height ?? 0, at: all[0]?.at ?? now },
    },
  };
}

/** No payment yet; the pool's last block came before the first share. */
export function nothingReceived(now: number): PayoutsView {
  const old = rows(now).slice(-1);
  return {
    kind: "received",
    value: {
      pages: { page: 0, pages: 1, rows: old.length },
      rows: old,
      mineTotalSats: 0,
      months: [],
      lastBlock: { height: old[0]?.height ?? 0, at: old[0]?.at ?? now },
    },
  };
}

function shares(now: number): PayoutsView {
  const states: [number, MyShareState, number | null][] = [
    [0.2, { kind: "onItsWay" }, null],
    [1.1, { kind: "inWindow", until: now + 1.9 * DAY }, 975_031],
    [4.5, { kind: "leftWindow" }, null],
    [9.8, { kind: "lostRace" }, null],
    [14.2, { kind: "leftWindow" }, null],
    [21.7, { kind: "tooOld" }, null],
    [151, { kind: "leftWindow" }, 955_609],
  ];
  const list: MyShare[] = states.map(([days, state, paidHeight], index) => ({
    hash: `${"0".repeat(16)}${String(index).repeat(48)}`,
    at: Math.floor(now - days * DAY),
    worker: index % 2 === 0 ? "bitaxe" : "garage",
    difficulty: index === 6 ? null : 140e6 * (1 + index / 50),
    state,
    paidBlocks: paidHeight === null ? 0 : index === 6 ? 2 : 1,
    paidHeight,
  }));
  const today = now - (now % DAY);
  return {
    kind: "shares",
    value: {
      pages: { page: 0, pages: 3, rows: 127 },
      rows: list,
      days: Array.from({ length: 30 }, (_, index) => ({
        day: today - index * DAY,
        good: (index * 7) % 4,
        late: index % 9 === 4 ? 1 : 0,
      })),
      windowSecs: WINDOW_SECS,
      blocksTotal: 5,
    },
  };
}

function expected(now: number): PayoutsView {
  const month = (back: number, over: Partial<ExpectedMonth>): ExpectedMonth => ({
    month: monthAt(now, back),
    expected: 12.4,
    found: 11,
    usual: { low: 6, high: 20 },
    verdict: "normal",
    ...over,
  });
  const months = [
    month(0, { expected: 3.1, found: 4, usual: null, verdict: "tooEarly" }),
    month(1, {}),
    month(2, { found: 3, verdict: "few" }),
    month(3, { expected: 9.7, found: 19, usual: { low: 4, high: 16 }, verdict: "many" }),
    month(4, { expected: 10.8, found: 12, usual: { low: 5, high: 18 } }),
  ];
  return { kind: "expected", value: { months, since: monthAt(now, 4) + 3 * DAY } };
}

/** What a tab shows. */
export function payoutsView(now: number, tab: PayoutsTab): PayoutsView {
  switch (tab) {
    case "received":
      return received(now);
    case "shares":
      return shares(now);
    case "expected":
      return expected(now);
    case "calculator":
      return { kind: "calculator", value: { mineHps: 1.21e12, poolHps: POOL_HPS } };
  }
}

/** What a hash rate brings at the fixture's size of pool and network. */
export function calculation(hashrateHps: number): Calculation {
  const shareSecs = (SHARE_SECS * POOL_HPS) / hashrateHps;
  const shareInWindow = 1 - Math.exp(-WINDOW_SECS / shareSecs);
  const within = (withinSecs: number) => ({
    withinSecs,
    fraction: 1 - Math.exp((-withinSecs / BLOCK_SECS) * shareInWindow),
  });
  return {
    hashrateHps,
    shareSecs,
    windowSecs: WINDOW_SECS,
    shareInWindow,
    perBlockSats: Math.round((hashrateHps / POOL_HPS) * VALUE_SATS),
    poolBlockSecs: BLOCK_SECS,
    paidWithin: [within(30 * DAY), within(365 * DAY), within(5 * 365 * DAY)],
    soloBlockSecs: NETWORK_HASHES / hashrateHps,
  };
}
