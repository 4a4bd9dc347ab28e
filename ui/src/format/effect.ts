import { exhaustive } from "../exhaustive";
import type { AppRequest } from "../ipc/generated/AppRequest";
import type { Outside } from "../ipc/generated/Outside";
import type { Page } from "../ipc/generated/Page";
import type { Problem } from "../ipc/generated/Problem";
import type { ProblemAction } from "../ipc/generated/ProblemAction";
import type { SettingsRequest } from "../ipc/generated/SettingsRequest";
import type { HelpTopic } from "../text/help";

/** A place outside the window that a problem leads to. */
export type Place = Extract<Outside, string>;

/** What pressing a button of a problem card does. */
export type Effect =
  /** Asks the application. */
  | { kind: "ask"; request: AppRequest }
  /** Hides the problem. */
  | { kind: "hide" }
  /** Goes to a page, and to a part of it. */
  | { kind: "page"; page: Page; part?: string }
  /** Opens a help panel inside the window. */
  | { kind: "help"; topic: HelpTopic }
  /** Opens something of the system; its help panel stands in where that fails. */
  | { kind: "outside"; place: Place; topic: HelpTopic | null }
  /** Opens the technical text of the card. */
  | { kind: "details" }
  /** Puts a text on the clipboard; an empty one clears it. */
  | { kind: "copy"; text: string }
  | { kind: "reload" }
  | { kind: "quit" };

const help = (topic: HelpTopic): Effect => ({ kind: "help", topic });
const settings = (part: string): Effect => ({ kind: "page", page: "settings", part });
const settingsDeed = (request: SettingsRequest): Effect => ({
  kind: "ask",
  request: { kind: "settings", request },
});
const miners: Effect = { kind: "page", page: "miners" };

/** Panels of the buttons that only say *Help*, *Why?* or *Show steps*. */
const TOPICS: Partial<Record<Problem["code"], HelpTopic>> = {
  "D-02": "D-05",
  "M-05": "M-05",
  "M-07": "M-07",
  "E-CPU-01": "E-CPU-01",
  "M-03": "M-03",
  "P-02": "P-02",
};

/** What a button does, for the problem it stands on. */
export function effectOf(problem: Problem, action: ProblemAction): Effect {
  const topic = TOPICS[problem.code];
  switch (action) {
    case "tryAgain":
    case "checkAgain":
    case "unlockAndTryAgain":
      return { kind: "ask", request: { kind: "tryAgain", problem: problem.id } };
    case "dismiss":
    case "ok":
    case "silence":
    case "continueOnce":
      return { kind: "hide" };
    case "reload":
      return { kind: "reload" };
    case "details":
      return { kind: "details" };
    case "quitProgram":
      return { kind: "quit" };
    case "saveReport":
      return { kind: "page", page: "checkUp", part: "report" };
    case "networkTest":
      return { kind: "page", page: "checkUp", part: "health" };
    case "findCause":
      return { kind: "page", page: "checkUp", part: "late-work" };
    case "practice":
    case "practiceMeanwhile":
      return { kind: "ask", request: { kind: "enterPractice", keepsLive: true } };
    case "copyLines":
      return { kind: "copy", text: problem.values["lines"] ?? problem.technical };
    case "clearClipboard":
      return { kind: "copy", text: "" };
    case "openDownloadPage":
      return { kind: "outside", place: "bitcoinCoreDownloads", topic: null };
    case "openTimeSettings":
      return { kind: "outside", place: "timeSettings", topic: "P-11" };
    case "openNetworkSettings":
      return { kind: "outside", place: "networkSettings", topic: "S-03" };
    case "openPrivacySettings":
      return { kind: "outside", place: "privacySettings", topic: "S-05" };
    case "startBitcoin":
      return help("N-01");
    case "showNeededLine":
      return help("N-04");
    case "howToAllow":
      return help("N-05");
    case "networkHelp":
      return help("N-09");
    case "restartNodeHelp":
      return help("N-10");
    case "useVpn":
      return help("N-14");
    case "howToRestart":
      return help("C-05");
    case "whichAddress":
      return help("A-02");
    case "whatDoesThisMean":
      return help("P-09");
    case "allowInFirewall":
    case "checkFirewall":
      return help("S-02");
    case "keepAddressFixed":
      return help("S-04");
    case "doOnDevice":
      return help("D-01");
    case "freeSpace":
      return help("E-APP-01");
    case "help":
    case "why":
    case "showSteps":
    case "deviceHelp":
      return help(topic ?? (action === "deviceHelp" ? "M-01" : "D-05"));
    case "enterLogin":
    case "addLogin":
    case "useLogin":
    case "chooseNode":
    case "continueUnprotected":
    case "chooseFolder":
    case "chooseBackupPlace":
    case "review":
    case "reviewChange":
    case "restartForMe":
    case "useAnotherNode":
    case "useCookie":
    case "keepInFile":
    case "askEachTime":
      return settings("node");
    case "addressChecked":
      return settingsDeed({ kind: "confirmAddress" });
    case "restoreOldAddress":
      return settingsDeed({ kind: "restoreAddress" });
    case "useAnotherAddress":
    case "allowAddress":
      return settings("mining");
    case "tryProxy":
    case "askRouterAgain":
      return settings("network");
    case "useAnotherPort":
      return settings(problem.code === "P-03" ? "network" : "door");
    case "chooseInterface":
    case "lowerDifficulty":
      return settings("door");
    case "updateNow":
      return settings("updates");
    case "chooseDataFolder":
      return settings("data");
    case "reviewSettings":
      return { kind: "page", page: "settings" };
    case "addMember":
    case "resetMembers":
      return { kind: "page", page: "pool", part: "members" };
    case "phoneTest":
    case "updateMiners":
    case "checkDevice":
    case "restartDevice":
    case "openDevice":
    case "enterCode":
    case "tryOtherWay":
    case "waitLonger":
    case "putBack":
    case "forget":
      return miners;
    default:
      return exhaustive(action);
  }
}
