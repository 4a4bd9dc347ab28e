import type { AddressVerdict } from "../../generated/AddressVerdict";
import type { SetupRequest } from "../../generated/SetupRequest";
import type { SetupStep } from "../../generated/SetupStep";
import type { SetupView } from "../../generated/SetupView";
import type { TestLine } from "../../generated/TestLine";

const ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const ORDER: readonly SetupStep[] = [
  "welcome",
  "node",
  "address",
  "network",
  "miners",
  "start",
];

const passed = (test: TestLine["test"], tookMs: number): TestLine => ({
  test,
  result: { kind: "passed" },
  tookMs,
});

/** The set-up of a computer with a synced node, on this step. */
export function setupView(step: SetupStep = "welcome"): SetupView {
  return {
    step,
    reached: step === "welcome" ? "node" : step,
    canGoOn: step !== "address",
    canLeave: false,
    poolBlockSecs: null,
    node: {
      isLooking: false,
      place: "here",
      found: [
        {
          folder: "/home/me/.bitcoin",
          conf: "/home/me/.bitcoin/bitcoin.conf",
          program: "Bitcoin Core 30.0.0",
          chain: "main",
          height: 975_120,
          isRunning: true,
          isChosen: true,
        },
      ],
      card: { kind: "ready" },
      facts: [
        { kind: "running", program: "Bitcoin Core 30.0.0" },
        { kind: "synced", height: 975_120 },
        { kind: "pruned", bytes: 15_000_000_000 },
        { kind: "loginWorks", login: "cookie" },
      ],
      login: "cookie",
      logins: [
        { login: "cookie", isAtHand: true },
        { login: "rpcAuth", isAtHand: false },
        { login: "rpcPassword", isAtHand: false },
        { login: "typed", isAtHand: false },
      ],
      remote: {
        host: "",
        port: 8332,
        user: "",
        hasPassword: false,
        allowsPublic: false,
        ownIp: "192.168.1.20",
        lines: ["server=1", "rpcauth=p2pool-7f3a:00$11", "rpcallowip=192.168.1.20/32"],
      },
      tests: [
        passed("port", 1),
        passed("login", 3),
        passed("chain", 0),
        passed("connections", 2),
        passed("template", 41),
        passed("newBlocks", 2),
      ],
      isTesting: false,
      sync: null,
      review: null,
      trouble: null,
      restart: null,
      keyTrouble: null,
      next: "next",
    },
    address: {
      verdict: { kind: "empty" },
      isChecked: false,
      owner: { kind: "unknown" },
      wallets: ["main"],
      walletTrouble: "",
    },
    network: {
      members: { kind: "connected", count: 5 },
      choice: "notNow",
      mapping: { kind: "off" },
      port: 9333,
      ownIp: "192.168.1.20",
      named: [],
      proxy: null,
      mistake: "",
    },
    miners: { url: "stratum+tcp://192.168.1.20:9332", user: `${ADDRESS}.miner1` },
    connect: null,
    computer: { startsAtLogin: true, keepsRunning: true, staysAwake: true, notifies: true },
    nodePlace: "http://127.0.0.1:8332",
    notSaved: null,
  };
}

/** What an address is, for the few that a pretended application knows. */
export function judged(text: string): AddressVerdict {
  const address = text.trim();
  if (address === "") return { kind: "empty" };
  if (address === ADDRESS) return { kind: "good", address, addressType: "segwit" };
  if (address.startsWith("bc1p")) {
    return { kind: "bad", code: "A-02", fault: "taproot", at: null, found: null };
  }
  return { kind: "bad", code: "A-01", fault: "checksum", at: 7, found: null };
}

/** The set-up after a request, as the application would have it; `null` once it is over. */
export function setUp(view: SetupView, request: SetupRequest): SetupView | null {
  switch (request.kind) {
    case "goTo":
      return moved(view, request.step);
    case "useAddress": {
      const verdict = judged(request.text);
      return settled({ ...view, address: { ...view.address, verdict, isChecked: false } });
    }
    case "newAddress":
      return setUp(view, { kind: "useAddress", text: ADDRESS });
    case "checkAddress":
      return settled({ ...view, address: { ...view.address, isChecked: request.isChecked } });
    case "choosePort":
      return { ...view, network: { ...view.network, choice: request.choice } };
    case "chooseComputer":
      return { ...view, computer: request.choices };
    case "start":
    case "leave":
      return null;
    default:
      return view;
  }
}

function moved(view: SetupView, step: SetupStep): SetupView {
  const isKnown = ORDER.indexOf(step) <= ORDER.indexOf(view.reached);
  const isNext = view.canGoOn && ORDER.indexOf(step) === ORDER.indexOf(view.step) + 1;
  if (!isKnown && !isNext) return view;
  const reached = ORDER.indexOf(step) > ORDER.indexOf(view.reached) ? step : view.reached;
  return settled({ ...view, step, reached });
}

function settled(view: SetupView): SetupView {
  const isPaid = view.address.verdict.kind === "good" && view.address.isChecked;
  return { ...view, canGoOn: view.step === "address" || view.step === "start" ? isPaid : true };
}
