import { exhaustive } from "../exhaustive";
import type { Party } from "../ipc/generated/Party";
import { t } from "../text";

/** Whose something is, in words. */
export function partyName(party: Party): string {
  switch (party.kind) {
    case "me":
      return t("party.me");
    case "simulated":
      return t("party.simulated", { number: party.number });
    case "member":
      return t("party.member");
    case "donation":
      return t("party.donation");
    case "others":
      return t("party.others");
    default:
      return exhaustive(party);
  }
}
