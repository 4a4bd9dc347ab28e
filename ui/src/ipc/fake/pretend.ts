import type { AppSnapshot } from "../generated/AppSnapshot";
import type { Change } from "../generated/Change";
import type { LatestKind } from "../generated/LatestKind";
import { dice, payout, series, shares } from "./fixtures";
import { earning, firstShare } from "./scripts";

const SHARE_SECS = 9;
const BLOCK_SECS = 31;
const CPU_HPS = 46_400_000;

/** Invents a practice pool second by second, so that the window can be looked at alive. */
export class Pretend {
  #secs = 0;
  #mine = 0;
  #roll = dice(11);

  /** What one more second of mining changes. */
  second(state: AppSnapshot): Change[] {
    this.#secs += 1;
    const changes: Change[] = [this.#effort(state), ...this.#rates(state)];
    if (this.#secs % SHARE_SECS === 0) changes.push(...this.#share(state));
    if (this.#secs % BLOCK_SECS === 0) changes.push(...this.#block(state));
    return changes;
  }

  #effort(state: AppSnapshot): Change {
    const fraction = (this.#secs % SHARE_SECS) / SHARE_SECS;
    return { section: "effort", value: { ...state.effort, fraction: fraction * 1.3 } };
  }

  #rates(state: AppSnapshot): Change[] {
    const hps = CPU_HPS * (0.95 + 0.1 * this.#roll());
    const at = state.now - (state.now % 10);
    return [
      { section: "rates", value: { ...state.rates, mineHps: hps } },
      { section: "seriesAppended", value: { at, mineHps: hps, lowHps: hps, highHps: hps, lateHps: 0 } },
    ];
  }

  #share(state: AppSnapshot): Change[] {
    const full = earning(state.now);
    this.#mine += 1;
    const now = state.now;
    return [
      { section: "overall", value: { state: "earning" } },
      { section: "hero", value: full.hero },
      { section: "shares", value: { ...shares(now, this.#mine), mineTotal: this.#mine } },
      happened(state, { kind: "shareFound", difficulty: 0.0061 }),
    ];
  }

  #block(state: AppSnapshot): Change[] {
    const height = 10 + state.payouts.blocksTotal;
    const by = { kind: "simulated", number: 1 + (height % 3) } as const;
    const row = payout(state.now, height, 1, Math.min(0.24, this.#mine / 200), by);
    const total = state.payouts.mineTotalSats + (row.mineSats ?? 0);
    const rows = [row, ...state.payouts.rows].slice(0, 50);
    return [
      {
        section: "payouts",
        value: { mineTotalSats: total, blocksTotal: state.payouts.blocksTotal + 1, rows },
      },
      happened(state, { kind: "poolBlock", height, foundBy: by, mineSats: row.mineSats }),
    ];
  }
}

/** Mining begins. */
export function begun(state: AppSnapshot): Change[] {
  const first = firstShare(state.now);
  const hadShares = state.shares.mineTotal > 0;
  return [
    { section: "overall", value: hadShares ? { state: "earning" } : { state: "first_share" } },
    { section: "control", value: { kind: "pause" } },
    { section: "hero", value: hadShares ? state.hero : first.hero },
    { section: "effort", value: first.effort },
    { section: "rates", value: first.rates },
    { section: "lights", value: first.lights },
    { section: "practice", value: first.practice },
    { section: "series", value: hadShares ? state.series : series(state.now, "hour1", CPU_HPS) },
    happened(state, { kind: hadShares ? "miningResumed" : "miningStarted" }),
  ];
}

/** Something happened now. */
export function happened(state: AppSnapshot, what: LatestKind): Change {
  const id = (state.events[0]?.id ?? 0) + 1;
  return { section: "eventAdded", value: { id, at: state.now, what } };
}
