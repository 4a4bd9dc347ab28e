import { difficulty } from "../../format/difficulty";
import { hashrate } from "../../format/hashrate";
import { whole } from "../../format/number";
import { percent } from "../../format/percent";
import { ago, dateTime } from "../../format/time";
import type { MinerRow } from "../../ipc/generated/MinerRow";
import { t } from "../../text";
import { rank } from "./state";

/** A column of the list. */
export type ColumnKey =
  | "name"
  | "state"
  | "hashrate"
  | "spark"
  | "late"
  | "last"
  | "power"
  | "celsius"
  | "ip"
  | "model"
  | "difficulty"
  | "results"
  | "since"
  | "user"
  | "pool";

export const USUAL: readonly ColumnKey[] = [
  "name",
  "state",
  "hashrate",
  "spark",
  "late",
  "last",
  "power",
  "celsius",
];

/** More, behind *Show technical details*. */
export const TECHNICAL: readonly ColumnKey[] = [
  "ip",
  "model",
  "difficulty",
  "results",
  "since",
  "user",
  "pool",
];

/** What a row is called. */
export function nameOf(row: MinerRow): string {
  if (row.name !== "") return row.name;
  return row.family === "cpu" ? t("miners.cpu") : (row.ip ?? t("connect.found.unnamed"));
}

/** The text of a cell that is text. */
export function cell(row: MinerRow, key: ColumnKey, now: number): string {
  const none = t("miners.value.none");
  const or = <T>(value: T | null, text: (value: T) => string) =>
    value === null ? none : text(value);
  switch (key) {
    case "hashrate":
      return or(row.hashrateHps, hashrate);
    case "late":
      return or(row.latePart, percent);
    case "last":
      return or(row.lastResultAt, (at) => ago(at, now));
    case "power":
      return or(row.powerWatts, (watts) => t("miners.value.watts", { watts: Math.round(watts) }));
    case "celsius":
      return or(row.celsius, (value) => t("miners.value.celsius", { celsius: Math.round(value) }));
    case "ip":
      return or(row.ip, (ip) => ip);
    case "model":
      return row.model === "" ? none : row.model;
    case "difficulty":
      return or(row.difficulty, difficulty);
    case "results": {
      const values = { accepted: whole(row.accepted), rejected: whole(row.rejected) };
      return t("miners.value.results", values);
    }
    case "since":
      return or(row.since, dateTime);
    case "user":
      return or(row.user, (user) => user);
    case "pool":
      return or(row.pool, (pool) => pool);
    case "name":
    case "state":
    case "spark":
      return "";
  }
}

/** What a column is sorted by. */
function sortKey(row: MinerRow, key: ColumnKey): number | string {
  switch (key) {
    case "name":
      return nameOf(row).toLowerCase();
    case "state":
      return rank(row.state);
    case "hashrate":
    case "spark":
      return -(row.hashrateHps ?? -1);
    case "late":
      return -(row.latePart ?? -1);
    case "last":
      return -(row.lastResultAt ?? 0);
    case "power":
      return -(row.powerWatts ?? -1);
    case "celsius":
      return -(row.celsius ?? -1);
    case "difficulty":
      return -(row.difficulty ?? -1);
    case "results":
      return -row.accepted;
    case "since":
      return row.since ?? 0;
    case "ip":
    case "model":
    case "user":
    case "pool":
      return cell(row, key, 0).toLowerCase();
  }
}

/** Sorted rows; of equals those stay where they were. */
export function sorted(rows: readonly MinerRow[], key: ColumnKey, isReversed: boolean): MinerRow[] {
  const order = (one: MinerRow, other: MinerRow) => {
    const [a, b] = [sortKey(one, key), sortKey(other, key)];
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const inOrder = [...rows].sort(order);
  return isReversed ? inOrder.reverse() : inOrder;
}
