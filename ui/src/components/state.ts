import { exhaustive } from "../exhaustive";
import { percent } from "../format/percent";
import type { LightState } from "../ipc/generated/LightState";
import type { MiningControl } from "../ipc/generated/MiningControl";
import type { OverallState } from "../ipc/generated/OverallState";
import { t } from "../text";

/** How urgent something looks; each has a shape of its own beside its colour. */
export type Tone = "ok" | "info" | "warn" | "error" | "paused" | "off";

/** The shape of a tone. */
export const SHAPES: Record<Tone, string> = {
  ok: "●",
  info: "◐",
  warn: "▲",
  error: "✖",
  paused: "❚❚",
  off: "○",
};

/** The status pill of a state. */
export function pill(
  overall: OverallState,
  control: MiningControl,
  isPractice: boolean,
): { tone: Tone; word: string } {
  switch (overall.state) {
    case "setup":
      return { tone: "info", word: t("state.setup") };
    case "node_down":
      return {
        tone: "error",
        word: t(isPractice ? "state.node_down.practice" : "state.node_down"),
      };
    case "node_syncing": {
      const word = t("state.node_syncing", { percent: percent(overall.progress) });
      return { tone: "info", word };
    }
    case "joining":
      return { tone: "info", word: t("state.joining") };
    case "no_members":
      return { tone: "warn", word: t("state.no_members") };
    case "waiting_miner":
      return control.kind === "start"
        ? { tone: "ok", word: t("state.ready") }
        : { tone: "info", word: t("state.waiting_miner") };
    case "first_share":
    case "between":
    case "earning":
      return { tone: "ok", word: t("state.mining") };
    case "paused":
      return { tone: "paused", word: t("state.paused") };
    case "degraded":
      return { tone: "warn", word: t("state.degraded") };
    case "blocked":
      return { tone: "error", word: t("state.blocked") };
    default:
      return exhaustive(overall);
  }
}

/** The tone of a light. */
export const LIGHT_TONES: Record<LightState, Tone> = {
  ok: "ok",
  working: "info",
  attention: "warn",
  stopped: "error",
  off: "off",
};
