import { exhaustive } from "../../exhaustive";
import { about, duration } from "../../format/duration";
import { amount } from "../../format/shown_amount.svelte";
import { hashrate } from "../../format/hashrate";
import { shortAddress } from "../../format/ident";
import { whole } from "../../format/number";
import { percent } from "../../format/percent";
import { problemMessage } from "../../format/problem";
import { ago, date } from "../../format/time";
import type { HealthLine } from "../../ipc/generated/HealthLine";
import type { LateMeasure } from "../../ipc/generated/LateMeasure";
import type { Problem } from "../../ipc/generated/Problem";
import type { Rung } from "../../ipc/generated/Rung";
import { t } from "../../text";

const minerName = (name: string | null) => name ?? t("health.cpuMiner");
const millis = (ms: number) => whole(Math.round(ms));

/** Bytes as people buy them. */
function size(bytes: number): string {
  const gigabytes = bytes / 1e9;
  const digits = gigabytes < 10 ? 1 : 0;
  const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: digits });
  return `${number.format(gigabytes)}\u00a0GB`;
}

/** The sentence of a line of the health list. */
export function healthSentence(
  line: HealthLine,
  problems: readonly Problem[],
  isPractice: boolean,
  now: number,
): string {
  const { text } = line;
  switch (text.kind) {
    case "problem": {
      const problem = problems.find(({ id }) => id === line.problem);
      if (problem === undefined) return t("health.nodeConnecting");
      return problemMessage(problem.code, problem.values, isPractice);
    }
    case "nodeReady": {
      const program = text.program ?? t("health.nodeReady.program");
      const height = whole(text.height);
      if (text.answerMs === null) return t("health.nodeReady", { program, height });
      return t("health.nodeReady.answer", { program, height, ms: millis(text.answerMs) });
    }
    case "clockRight":
      return t("health.clockRight", { secs: text.offSecs });
    case "chainChecking":
      return t("health.chainChecking", { done: whole(text.done), total: whole(text.total) });
    case "chainReady":
      if (text.newestSecs === null) return t("health.chainReady.empty");
      return t("health.chainReady", { shares: text.shares, duration: duration(text.newestSecs) });
    case "membersConnected":
      return t("health.membersConnected", { connected: text.connected, incoming: text.incoming });
    case "membersSimulated":
      return t("health.membersSimulated", { connected: text.connected });
    case "doorOpen": {
      const { address } = text;
      if (text.phoneSeenAt === null) return t("health.doorOpen", { address });
      return t("health.doorOpen.seen", { address, ago: ago(text.phoneSeenAt, now) });
    }
    case "minerWorking": {
      const rate = hashrate(text.hps);
      const name = minerName(text.name);
      return t("health.minerWorking", { name, rate, percent: percent(text.latePart) });
    }
    case "minerSilent":
      return t("health.minerSilent", { name: minerName(text.name) });
    case "minerAway":
      return t("health.minerAway", { name: minerName(text.name), ago: ago(text.since, now) });
    case "addressPaid":
      return t("health.addressPaid", { address: shortAddress(text.address) });
    case "diskFree":
    case "diskLow":
      return t(`health.${text.kind}`, { size: size(text.bytes) });
    case "updatesByHand":
      return t("health.updatesByHand", { version: text.version });
    case "notStarted":
    case "nodeConnecting":
    case "clockNotCompared":
    case "membersNone":
    case "doorClosed":
    case "minerNone":
    case "diskUnknown":
    case "sleepHeld":
    case "sleepAllowed":
    case "sleepUnknown":
      return t(`health.${text.kind}`);
    default:
      return exhaustive(text);
  }
}

/** What explains a rung that is not reached. */
export function rungSentence(rung: Rung): string {
  switch (rung.kind) {
    case "node":
      if (rung.progress === null) return t("ladder.node");
      return t("ladder.node.progress", { percent: percent(rung.progress) });
    case "pool": {
      if (rung.total === 0) return t("ladder.pool.start");
      const { members } = rung;
      return t("ladder.pool", { done: whole(rung.done), total: whole(rung.total), members });
    }
    case "miner":
      if (rung.isStopped) return t("ladder.miner.stopped");
      if (rung.minerUrl === null) return t("ladder.miner.closed");
      return t("ladder.miner", { url: rung.minerUrl });
    case "results":
      return t("ladder.results", { connected: rung.connected });
    case "inTime":
      return t("ladder.inTime", { percent: percent(rung.latePart) });
    case "firstShare": {
      const { effort, averageSecs, noneYetPart } = rung;
      if (effort === null || averageSecs === null || noneYetPart === null) {
        return t("ladder.firstShare.unknown");
      }
      return t("ladder.firstShare", {
        average: about(averageSecs),
        effort: percent(effort),
        none: percent(noneYetPart),
      });
    }
    case "inWindow": {
      const { lastLeftAt, averageSecs, windowSecs, isNormal } = rung;
      const window = duration(windowSecs);
      if (lastLeftAt === null || averageSecs === null) return t("ladder.inWindow.unknown", { window });
      const values = { date: date(lastLeftAt), average: about(averageSecs), window };
      return t(isNormal ? "ladder.inWindow.normal" : "ladder.inWindow", values);
    }
    case "poolBlock": {
      const { averageSecs, chance, effort } = rung;
      if (averageSecs === null || chance === null) return t("ladder.poolBlock.unknown");
      const wait = t("ladder.poolBlock", {
        average: duration(averageSecs),
        within: duration(chance.withinSecs),
        chance: percent(chance.fraction),
      });
      if (effort === null) return wait;
      return `${wait} ${t("ladder.poolBlock.effort", { effort: percent(effort) })}`;
    }
    case "payment": {
      const { sats, confirmations, needed } = rung;
      return t("ladder.payment", { amount: amount(sats), confirmations, needed });
    }
    default:
      return exhaustive(rung);
  }
}

/** What was measured. */
export function measureSentence(measure: LateMeasure): string {
  switch (measure.kind) {
    case "oneMiner":
      return t("late.oneMiner", {
        name: minerName(measure.name),
        percent: percent(measure.latePart),
        others: percent(measure.othersPart),
      });
    case "nodeAnswer": {
      const ms = millis(measure.answerMs);
      return t(measure.isRemote ? "late.nodeAnswer.remote" : "late.nodeAnswer", { ms });
    }
    case "nodeNotTelling":
      return t("late.nodeNotTelling");
    case "fewMembers":
      return t("late.fewMembers", { connected: measure.connected });
    case "computerBusy":
      return t("late.computerBusy", { ms: millis(measure.waitMs) });
    default:
      return exhaustive(measure);
  }
}
