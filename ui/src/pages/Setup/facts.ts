import { exhaustive } from "../../exhaustive";
import type { NodeFact } from "../../ipc/generated/NodeFact";
import { t } from "../../text";

const GIGABYTE = 1_000_000_000;

/** A line about the node. */
export function factText(fact: NodeFact): string {
  switch (fact.kind) {
    case "running":
      return t("setup.fact.running", { program: fact.program });
    case "notRunning":
      return t("setup.fact.notRunning");
    case "synced":
      return t("setup.fact.synced", { height: fact.height });
    case "behind":
      return t("setup.fact.behind", { percent: Math.floor(fact.progress * 100) });
    case "pruned":
      return fact.bytes === null
        ? t("setup.fact.pruned.unknown")
        : t("setup.fact.pruned", { gigabytes: gigabytes(fact.bytes) });
    case "whole":
      return t("setup.fact.whole");
    case "loginWorks":
      return t("setup.fact.loginWorks");
    case "noLogin":
      return t("setup.fact.noLogin", { app: t("app.name") });
    case "diskLow":
      return t("setup.fact.diskLow", { gigabytes: gigabytes(fact.freeBytes) });
    default:
      return exhaustive(fact);
  }
}

/** Whether a line is good news. */
export function factTone(fact: NodeFact): "ok" | "warn" | "info" {
  if (fact.kind === "behind") return "info";
  return ["notRunning", "noLogin", "diskLow"].includes(fact.kind) ? "warn" : "ok";
}

function gigabytes(bytes: number): number {
  return Math.round(bytes / GIGABYTE);
}
