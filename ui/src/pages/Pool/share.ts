import { shortAddress } from "../../format/ident";
import { partyName } from "../../format/party";
import type { CellPayee } from "../../ipc/generated/CellPayee";
import { t } from "../../text";
import type { Cell } from "./window.svelte";

const NAME_DIGITS = 8;

/** A share by the end of its name: `…7fa14801`. */
export function shareName(id: string): string {
  return `…${id.slice(-NAME_DIGITS)}`;
}

/** Whom a share pays, shortly. */
export function payeeName(payee: CellPayee): string {
  return payee.party.kind === "member" ? shortAddress(payee.address) : partyName(payee.party);
}

/** What is special about a share; empty if nothing is. */
export function what(cell: Cell): string {
  if (cell.isBlock && cell.isLate) return t("pool.table.what.both");
  if (cell.isBlock) return t("pool.table.what.block");
  return cell.isLate ? t("pool.table.what.late") : "";
}
