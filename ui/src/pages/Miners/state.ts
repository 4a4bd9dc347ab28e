import type { Tone } from "../../components/state";
import { dateTime, timeOfDay } from "../../format/time";
import type { MinerState } from "../../ipc/generated/MinerState";
import { isText, t } from "../../text";

const DAY_SECS = 86_400;

/** How a miner's state looks, and its words. */
export function look(state: MinerState, now: number): { tone: Tone; words: string } {
  switch (state.kind) {
    case "mining":
      return { tone: "ok", words: t("miners.state.mining") };
    case "connected": {
      const key = state.isLong ? "miners.state.connected.long" : "miners.state.connected";
      return { tone: "info", words: t(key) };
    }
    case "problem": {
      const key = `miners.state.${state.code}`;
      const words = isText(key) ? t(key, present(state.values)) : t("miners.state.other");
      return { tone: "warn", words };
    }
    case "away": {
      if (state.since === null) return { tone: "off", words: t("miners.state.away") };
      const isToday = now - state.since < DAY_SECS;
      const time = isToday ? timeOfDay(state.since) : dateTime(state.since);
      return { tone: "off", words: t("miners.state.away.since", { time }) };
    }
    case "paused":
      return { tone: "paused", words: t("miners.state.paused") };
  }
}

function present(values: { [key in string]?: string }): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? ""]));
}

/** Problems first, away last. */
export function rank(state: MinerState): number {
  return ["problem", "connected", "mining", "paused", "away"].indexOf(state.kind);
}
