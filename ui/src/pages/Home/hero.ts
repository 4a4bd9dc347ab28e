import { exhaustive } from "../../exhaustive";
import { about, duration } from "../../format/duration";
import { whole } from "../../format/number";
import type { MiningControl } from "../../ipc/generated/MiningControl";
import type { OverallState } from "../../ipc/generated/OverallState";
import { t } from "../../text";

/** What the hero says in a state that has no number. */
export interface Message {
  title: string;
  text: string | null;
  /** Part done, 0 to 1, for states that progress. */
  progress: number | null;
  /** Where a miner can be pointed. */
  url: string | null;
}

/** The message of a state. */
export function heroMessage(
  overall: OverallState,
  control: MiningControl,
  isPractice: boolean,
  now: number,
): Message {
  const say = (title: string, text: string | null): Message => ({
    title,
    text,
    progress: null,
    url: null,
  });
  switch (overall.state) {
    case "node_down": {
      const title = isPractice
        ? t("hero.node_down.practice")
        : t("hero.node_down.title", { app: t("app.name") });
      const silent = duration(Math.max(0, now - overall.since));
      return say(title, t("hero.node_down.text", { duration: silent }));
    }
    case "node_syncing":
      return {
        ...say(t("hero.node_syncing.title"), syncText(overall.remainingSecs)),
        progress: overall.progress,
      };
    case "joining":
      return joining(overall.sharesDone, overall.sharesTotal, isPractice);
    case "no_members":
      return say(t("hero.no_members.title"), t("hero.no_members.text", { count: overall.tried }));
    case "waiting_miner":
      return waiting(overall.minerUrl, control, isPractice);
    case "paused": {
      const secs = overall.sharesCountSecs;
      const text =
        secs === null ? t("hero.paused.none") : t("hero.paused.text", { duration: about(secs) });
      return say(t("hero.paused.title"), text);
    }
    case "blocked":
      return say(t("hero.blocked.title"), t("hero.blocked.text"));
    case "setup":
    case "first_share":
    case "between":
    case "earning":
    case "degraded":
      return say("", null);
    default:
      return exhaustive(overall);
  }
}

function syncText(remainingSecs: number | null): string {
  if (remainingSecs === null) return t("hero.node_syncing.text_unknown");
  return t("hero.node_syncing.text", { duration: capital(about(remainingSecs)) });
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

function joining(done: number | null, total: number | null, isPractice: boolean): Message {
  if (done === null || total === null) {
    const title = t(isPractice ? "hero.joining.practice" : "hero.joining.title");
    return { title, text: t("hero.joining.text_unknown"), progress: null, url: null };
  }
  return {
    title: t("hero.joining.title"),
    text: t("hero.joining.text", { done: whole(done), total: whole(total) }),
    progress: total === 0 ? 0 : done / total,
    url: null,
  };
}

function waiting(url: string | null, control: MiningControl, isPractice: boolean): Message {
  if (control.kind === "start" || control.kind === "armed") {
    const isArmed = control.kind === "armed";
    const title = t(isArmed ? "hero.armed.title" : "hero.ready.title");
    const text = t(isPractice ? "hero.ready.practice" : "hero.ready.live");
    return { title, text, progress: null, url: null };
  }
  if (isPractice) {
    const text = t("hero.waiting.text");
    return { title: t("hero.waiting.practice"), text, progress: null, url: null };
  }
  return { title: t("hero.waiting.title"), text: null, progress: null, url };
}
