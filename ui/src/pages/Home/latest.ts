import { exhaustive } from "../../exhaustive";
import { difficulty } from "../../format/difficulty";
import { duration } from "../../format/duration";
import { whole } from "../../format/number";
import { partyName } from "../../format/party";
import { problemMessage } from "../../format/problem";
import { amount } from "../../format/shown_amount.svelte";
import type { LatestKind } from "../../ipc/generated/LatestKind";
import { t } from "../../text";

/** How an event is marked in the list. */
export type EventTone = "share" | "late" | "block" | "bad" | "plain";

/** What happened, in words. */
export function eventText(what: LatestKind, isPractice: boolean): string {
  switch (what.kind) {
    case "practiceStarted":
      return t(what.isContinued ? "latest.practiceContinued" : "latest.practiceStarted");
    case "miningStarted":
    case "miningPaused":
    case "miningResumed":
    case "shareLate":
      return t(`latest.${what.kind}`);
    case "shareFound":
      return t("latest.shareFound", { difficulty: difficulty(what.difficulty) });
    case "poolBlock":
      return poolBlock(what);
    case "blockRefused":
      return t("latest.blockRefused", { height: whole(what.height) });
    case "paymentSpendable":
      return t("latest.paymentSpendable", {
        amount: amount(what.mineSats),
        height: whole(what.height),
      });
    case "memberJoined":
    case "memberLeft":
      return t(`latest.${what.kind}`, { who: partyName(what.party) });
    case "minerConnected":
    case "minerLeft":
      return t(`latest.${what.kind}`, { name: what.name ?? t("latest.cpuMiner") });
    case "slept":
      return t("latest.slept", { duration: duration(what.sleptSecs) });
    case "problemRaised":
      return t("latest.problemRaised", {
        code: what.code,
        message: problemMessage(what.code, {}, isPractice),
      });
    case "problemSolved":
      return t("latest.problemSolved", { code: what.code });
    default:
      return exhaustive(what);
  }
}

/** The mark of an event. */
export function eventTone(what: LatestKind): EventTone {
  switch (what.kind) {
    case "shareFound":
      return "share";
    case "shareLate":
      return "late";
    case "poolBlock":
    case "paymentSpendable":
      return "block";
    case "blockRefused":
    case "problemRaised":
      return "bad";
    default:
      return "plain";
  }
}

function poolBlock(what: Extract<LatestKind, { kind: "poolBlock" }>): string {
  const height = whole(what.height);
  if (what.mineSats === null) {
    return t("latest.poolBlock.unpaid", { height, who: partyName(what.foundBy) });
  }
  const mine = amount(what.mineSats);
  if (what.foundBy.kind === "me") return t("latest.poolBlock.mine", { height, amount: mine });
  return t("latest.poolBlock", { height, amount: mine, who: partyName(what.foundBy) });
}
