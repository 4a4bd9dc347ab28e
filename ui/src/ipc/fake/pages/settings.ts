import type { AppReply } from "../../generated/AppReply";
import type { Setting } from "../../generated/Setting";
import type { SettingGroup } from "../../generated/SettingGroup";
import type { SettingKey } from "../../generated/SettingKey";
import type { SettingsRequest } from "../../generated/SettingsRequest";
import type { SettingsView } from "../../generated/SettingsView";
import type { SettingValue } from "../../generated/SettingValue";

const DAY = 86_400;

function plain(
  key: SettingKey,
  group: SettingGroup,
  value: SettingValue,
  range: [number, number] | null = null,
): Setting {
  return { key, group, value, usual: value, range };
}

const off: SettingValue = { kind: "switch", isOn: false };
const on: SettingValue = { kind: "switch", isOn: true };
const none: SettingValue = { kind: "text", text: "" };
const number = (value: number): SettingValue => ({ kind: "number", number: value });

/** The settings of somebody who mines with the node of this computer. */
export function settingsView(now: number): SettingsView {
  return {
    settings: [
      plain("payUserNames", "mining", off),
      plain("donation", "mining", number(0), [0, 5]),
      plain("coinbaseText", "mining", none),
      plain("rpcPublic", "node", off),
      plain("poolPort", "network", number(9_333), [1, 65_535]),
      plain("listen", "network", on),
      plain("mapPort", "network", off),
      plain("maxIncoming", "network", number(40), [0, 1_000]),
      plain("maxOutgoing", "network", number(6), [0, 10]),
      plain("members", "network", { kind: "lines", lines: [] }),
      plain("proxy", "network", none),
      plain("lowBandwidth", "network", off),
      plain("door", "door", none),
      plain("allowOutside", "door", off),
      plain("recordShares", "data", off),
    ],
    address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    sharesLeaveAt: now + 2 * DAY,
    shareSize: { kind: "automatic" },
    bitcoin: {
      url: "http://127.0.0.1:8332",
      login: { kind: "cookie", path: "/home/me/.bitcoin/.cookie" },
      reserveUrl: null,
    },
    needsRestart: false,
    dataDir: "/home/me/.local/share/p2pool-desktop",
  };
}

/** What questions of the page are answered with. */
export function settingsReply(request: SettingsRequest): AppReply {
  switch (request.kind) {
    case "weighShareSize": {
      const smallestSecs = 25_000;
      const averageSecs = request.choice.kind === "automatic" ? smallestSecs : 30 * smallestSecs;
      return { kind: "shareSize", outlook: { averageSecs, smallestSecs } };
    }
    case "export":
      return { kind: "settingsFile", text: "[run]\ndonation = 1\n" };
    case "reviewImport": {
      const changes = [{ name: "run.donation", old: null, new: "1" }];
      return { kind: "settingsChanges", changes };
    }
    default:
      return { kind: "done" };
  }
}
