import type { MinersRequest } from "../../ipc/generated/MinersRequest";
import type { ProblemAction } from "../../ipc/generated/ProblemAction";

/**
 * What a button of a device's problem asks for; `null` for those that show how to do it by hand.
 */
export function deedOf(device: string, action: ProblemAction): MinersRequest | null {
  const plan = (triesOtherWay: boolean): MinersRequest => ({
    kind: "plan",
    device,
    keepsOld: true,
    slot: null,
    triesOtherWay,
  });
  switch (action) {
    case "tryAgain":
    case "enterCode":
      return plan(false);
    case "tryOtherWay":
      return plan(true);
    case "waitLonger":
      return { kind: "waitLonger", device };
    case "putBack":
      return { kind: "putBack", device };
    case "ok":
      return { kind: "dismissChange", device, forgetsUndo: false };
    case "forget":
      return { kind: "dismissChange", device, forgetsUndo: true };
    default:
      return null;
  }
}
