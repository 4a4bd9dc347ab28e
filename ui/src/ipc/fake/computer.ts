import { exhaustive } from "../../exhaustive";
import type { AppRequest } from "../generated/AppRequest";
import type { AppSnapshot } from "../generated/AppSnapshot";
import type { Computer } from "../generated/Computer";
import type { ComputerRequest } from "../generated/ComputerRequest";
import type { Leave } from "../generated/Leave";
import type { NotificationEvent } from "../generated/NotificationEvent";

const EVENTS: readonly NotificationEvent[] = [
  "blockPaid",
  "blockMine",
  "blockOthers",
  "firstShare",
  "share",
  "spendable",
  "minerAway",
  "allAway",
  "stopped",
  "recovered",
  "minerTrouble",
  "updateNeeded",
];
const OFF_BY_DEFAULT: readonly NotificationEvent[] = ["blockOthers", "share"];

/** A desktop with a tray, on mains, where nothing was chosen yet. */
export function computer(): Computer {
  return {
    startsAtLogin: false,
    onClose: "ask",
    hasTray: true,
    staysAwake: true,
    staysAwakeOnBattery: false,
    hasBattery: false,
    isHeldAwake: false,
    notifications: EVENTS.map((event) => ({ event, isOn: !OFF_BY_DEFAULT.includes(event) })),
    question: null,
    invitedTo: null,
  };
}

/** The computer after a request. */
export function changed(old: Computer, request: ComputerRequest): Computer {
  switch (request.kind) {
    case "startAtLogin":
      return { ...old, startsAtLogin: request.isOn };
    case "onClose":
      return { ...old, onClose: request.choice };
    case "stayAwake":
      return { ...old, staysAwake: request.isOn };
    case "stayAwakeOnBattery":
      return { ...old, staysAwakeOnBattery: request.isOn };
    case "notify": {
      const { event, isOn } = request;
      const chosen = (choice: Computer["notifications"][number]) =>
        choice.event === event ? { event, isOn } : choice;
      return { ...old, notifications: old.notifications.map(chosen) };
    }
    case "closeWindow":
      return { ...old, question: { kind: "close", hasTray: request.hasTray } };
    case "askToQuit":
      return { ...old, question: { kind: "quit", miners: 2, hasShares: true } };
    case "answered":
      return { ...old, question: null };
    case "invite":
      return { ...old, invitedTo: request.page };
    case "heldAwake":
      return { ...old, isHeldAwake: request.isHeld };
    case "lookAgain":
      return old;
    default:
      return exhaustive(request);
  }
}

/** How the window goes, if that was asked. */
export function leaving(state: AppSnapshot, request: AppRequest): Leave | null {
  const isAsked =
    request.kind === "computer" &&
    (request.request.kind === "askToQuit" || request.request.kind === "closeWindow");
  if (!isAsked) return null;
  return state.overall.state === "setup" ? "quit" : "asked";
}
