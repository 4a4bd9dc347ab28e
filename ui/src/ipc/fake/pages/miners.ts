import type { Connect } from "../../generated/Connect";
import type { FoundDevice } from "../../generated/FoundDevice";
import type { MinerPage } from "../../generated/MinerPage";
import type { MinerRow } from "../../generated/MinerRow";
import type { MinersRequest } from "../../generated/MinersRequest";
import type { MinersView } from "../../generated/MinersView";

const PAYOUT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/** A small code that no camera reads: the real one is drawn by the application. */
const CODE = {
  size: 29,
  path: "M4 4h7v1h-7zM4 5h1v5h-1zM10 5h1v5h-1zM4 10h7v1h-7zM6 6h3v3h-3zM18 4h7v1h-7zM18 5h1v5h-1zM24 5h1v5h-1zM18 10h7v1h-7zM20 6h3v3h-3zM4 18h7v1h-7zM4 19h1v5h-1zM10 19h1v5h-1zM4 24h7v1h-7zM6 20h3v3h-3zM13 12h2v1h-2zM16 14h3v2h-3zM20 17h2v3h-2zM13 19h3v1h-3z",
};

/** A search that is over, with a device of each kind of offer. */
export const FOUND: FoundDevice[] = [
  {
    id: "e0-e1-a9-0c-04-05",
    mac: "e0:e1:a9:0c:04:05",
    ip: "192.168.1.57",
    family: "bitaxe",
    model: "Bitaxe 601",
    name: "bitaxe",
    firmware: "v2.15.0",
    hashrateHps: 1.21e12,
    pool: "solo.ckpool.org:3333",
    offer: "useHere",
    canIdentify: true,
    change: null,
  },
  {
    id: "at-192.168.1.61",
    mac: null,
    ip: "192.168.1.61",
    family: "avalon",
    model: "Avalon Nano3s",
    name: "",
    firmware: "",
    hashrateHps: null,
    pool: "",
    offer: "needsLogin",
    canIdentify: false,
    change: null,
  },
];

/** The door of a live node, open, nothing looked for yet. */
export function connect(change: Partial<Connect> = {}): Connect {
  return {
    door: "open",
    address: {
      url: "stratum+tcp://192.168.1.20:9332",
      host: "192.168.1.20",
      port: 9332,
      user: `${PAYOUT}.miner1`,
      helloUrl: "http://192.168.1.20:9332/hello",
      code: CODE,
    },
    networks: [
      { name: "wlan0", address: "192.168.1.20", isVirtual: false, isChosen: true },
      { name: "wg0", address: "10.8.0.2", isVirtual: true, isChosen: false },
    ],
    phoneSeenAt: null,
    search: { kind: "idle" },
    found: [],
    canUseAll: false,
    plan: null,
    ...change,
  };
}

const spark = (level: number): (number | null)[] =>
  Array.from({ length: 48 }, (_, index) =>
    index === 30 ? null : level * (0.92 + 0.08 * Math.sin(index * 1.7)),
  );

function row(now: number, change: Partial<MinerRow>): MinerRow {
  return {
    id: "e0-e1-a9-0c-04-05",
    name: "bitaxe",
    family: "bitaxe",
    isHidden: false,
    isManaged: true,
    canLearn: false,
    state: { kind: "mining" },
    hashrateHps: 1.21e12,
    spark: spark(1.21e12),
    latePart: 0.018,
    lastResultAt: now - 4,
    powerWatts: 21.1,
    celsius: 58.2,
    ip: "192.168.1.57",
    mac: "e0:e1:a9:0c:04:05",
    model: "Bitaxe 601 v2.15.0",
    difficulty: 1024,
    accepted: 4_210,
    late: 76,
    rejected: 3,
    since: now - 86_400,
    user: `${PAYOUT}.bitaxe`,
    pool: "192.168.1.20:9332",
    foreignAddress: null,
    isForeignPaid: false,
    change: null,
    ...change,
  };
}

/** A Bitaxe that works, an S9 whose work is late, an Avalon that is away. */
export function rows(now: number): MinerRow[] {
  return [
    row(now, {}),
    row(now, {
      id: "w:s9",
      name: "s9-cellar",
      family: "antminer",
      isManaged: false,
      canLearn: true,
      state: { kind: "problem", code: "M-04", values: { percent: "12" } },
      hashrateHps: 13.5e12,
      spark: spark(13.5e12),
      latePart: 0.12,
      lastResultAt: now - 1,
      powerWatts: null,
      celsius: null,
      ip: "192.168.1.58",
      mac: null,
      model: "bmminer/2.0.0",
      difficulty: 8192,
      user: "1BoatSLRHtKNngkdXEeobR76b53LETtpyT.s9",
      foreignAddress: "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
      pool: null,
    }),
    row(now, {
      id: "at-192.168.1.61",
      name: "nano3s",
      family: "avalon",
      state: { kind: "away", since: now - 7_200 },
      hashrateHps: null,
      spark: spark(5e12).map((value, index) => (index > 43 ? null : value)),
      latePart: null,
      lastResultAt: now - 7_200,
      powerWatts: null,
      celsius: null,
      ip: "192.168.1.61",
      mac: null,
      model: "Avalon Nano3s",
      since: now - 7_200,
    }),
  ];
}

/** The page of the Bitaxe. */
export function minerPage(now: number): MinerPage {
  const first = row(now, {});
  return {
    row: first,
    range: "hours24",
    series: Array.from({ length: 288 }, (_, index) => ({
      at: now - (now % 300) - (287 - index) * 300,
      mineHps: 1.2e12 + 5e10 * Math.sin(index / 9),
      lateHps: 0,
      lowHps: 1.1e12,
      highHps: 1.3e12,
    })),
    health: Array.from({ length: 240 }, (_, index) => ({
      at: now - (now % 60) - (239 - index) * 60,
      hashrateHps: 1.21e12 + 2e10 * Math.sin(index / 7),
      celsius: 57 + 2 * Math.sin(index / 30),
      watts: 21 + 0.4 * Math.sin(index / 11),
    })),
    answeredAt: now - 12,
    isSilent: false,
    firmware: "v2.15.0",
    webUrl: "http://192.168.1.57/",
    fanPercent: 48,
    wifiDbm: -61,
    isWifiWeak: false,
    ownPart: 0.00012,
    reasons: [{ reason: "tooLate", count: 3 }],
    canIdentify: true,
    canRestart: true,
    canChange: true,
    history: [
      {
        id: 1,
        at: now - 90_000,
        poolBefore: "solo.ckpool.org:3333",
        poolAfter: "192.168.1.20:9332",
        state: { kind: "holds" },
      },
    ],
  };
}

/** The page of miners, typically. */
export function minersView(now: number, change: Partial<MinersView> = {}): MinersView {
  return {
    working: 2,
    away: 1,
    hashrateHps: 14.7e12,
    rows: rows(now),
    hidden: 1,
    connect: connect(),
    addressChange: null,
    check: null,
    cpu: {
      wish: {
        isOn: false,
        threads: 1,
        pauseOnBattery: true,
        pauseWhenActive: false,
        stopSoon: true,
        stopWhenHot: true,
      },
      state: "off",
      hashrateHps: null,
      expectedHps: 50e6,
      shareSecs: 19 * 365.25 * 86_400,
      threadsAvailable: 8,
      celsius: 52,
      cannotTell: false,
      failure: null,
    },
    open: null,
    ...change,
  };
}

/** Nothing has ever connected. */
export function emptyMiners(now: number): MinersView {
  return minersView(now, { working: 0, away: 0, hashrateHps: null, rows: [], hidden: 0 });
}

/** The page after a request, as far as a window can tell. */
export function afterMiners(view: MinersView, request: MinersRequest, now: number): MinersView {
  const connected = (change: Partial<Connect>) => ({
    ...view,
    connect: { ...view.connect, ...change },
  });
  switch (request.kind) {
    case "open":
      return { ...view, open: request.miner === null ? null : minerPage(now) };
    case "look":
      return connected({
        search: { kind: "ended", lookedAt: 254, found: 2, isCancelled: false, isForbidden: false },
        found: FOUND,
      });
    case "hide":
      return {
        ...view,
        rows: view.rows.map((row) =>
          row.id === request.miner ? { ...row, isHidden: request.isHidden } : row,
        ),
      };
    case "rename":
      return {
        ...view,
        rows: view.rows.map((row) =>
          row.id === request.miner ? { ...row, name: request.name } : row,
        ),
      };
    case "plan":
      return connected({ plan: plan(request.keepsOld) });
    case "closePlan":
    case "apply":
      return connected({ plan: null });
    case "setCpu":
      return view.cpu === null ? view : { ...view, cpu: { ...view.cpu, wish: request.wish } };
    default:
      return view;
  }
}

/** The plan of the Bitaxe. */
export function plan(keepsOld: boolean): NonNullable<Connect["plan"]> {
  const backup = {
    subject: "backupPool",
    now: "",
    then: "solo.ckpool.org:3333",
  } as const;
  return {
    device: "e0-e1-a9-0c-04-05",
    name: "bitaxe",
    model: "Bitaxe 601",
    ip: "192.168.1.57",
    firmware: "v2.15.0",
    isUndo: false,
    state: {
      kind: "ready",
      rows: [
        { subject: "pool", now: "solo.ckpool.org:3333", then: "192.168.1.20:9332" },
        { subject: "user", now: "bc1qabc.bitaxe", then: `${PAYOUT}.bitaxe` },
        ...(keepsOld ? [backup] : []),
      ],
      notes: ["restartsOnce"],
      keepsOld,
      needsCode: false,
      needsLogin: false,
      attempts: 0,
    },
  };
}
