import { exhaustive } from "../../../exhaustive";
import type { AppReply } from "../../generated/AppReply";
import type { CellPayee } from "../../generated/CellPayee";
import type { PoolBlockRow } from "../../generated/PoolBlockRow";
import type { PoolRequest } from "../../generated/PoolRequest";
import type { PoolView } from "../../generated/PoolView";
import type { ShareCells } from "../../generated/ShareCells";
import type { ShareDetails } from "../../generated/ShareDetails";
import type { ShareTree } from "../../generated/ShareTree";

/** Shares of the full window of the live network. */
export const FULL_WINDOW = 8_640;
const SHARE_SECS = 30;
const COIN = 100_000_000;
const DAY = 86_400;
const PAYEES = 47;

/** A number from 0 to 1 that looks like chance and is always the same. */
function chance(number: number): number {
  let mixed = Math.imul(number ^ 0x9e_37_79_b9, 0x85_eb_ca_6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2_b2_ae_35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

function digits(number: number, count: number): string {
  let text = "";
  for (let at = 0; text.length < count; at += 1) {
    text += Math.floor(chance(number * 31 + at * 7 + 5) * 0xffff)
      .toString(16)
      .padStart(4, "0");
  }
  return text.slice(0, count);
}

function payee(place: number): CellPayee {
  if (place === 0) {
    return { party: { kind: "me" }, address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" };
  }
  return { party: { kind: "member" }, address: `bc1q${digits(place, 38)}` };
}

/** The first shares of a window, newest first; `first` numbers the newest. */
export function cells(now: number, count: number, first = 0, isWhole = true): ShareCells {
  const payees = Array.from({ length: PAYEES }, (_, place) => payee(place));
  const share = (at: number): { payee: number; mark: number } => {
    const number = first - at;
    // A few members find most shares, as in life; mine is one in 700.
    const place = Math.abs(number) % 660 === 40 ? 0 : 1 + Math.floor(chance(number) ** 3 * (PAYEES - 1));
    const late = chance(number + 99) < 0.03 ? 2 : 0;
    const block = Math.abs(number) % 4_321 === 217 ? 4 : 0;
    return { payee: place, mark: (place === 0 ? 1 : 0) + late + block };
  };
  const shares = Array.from({ length: count }, (_, at) => share(at));
  return {
    isWhole,
    total: FULL_WINDOW,
    ids: shares.map((_, at) => digits(first - at + 1_000_000, 16)).join(""),
    times: shares.map((_, at) => now - at * SHARE_SECS),
    payeeOf: shares.map((share) => share.payee),
    marks: shares.map((share) => String(share.mark)).join(""),
    payees,
  };
}

/** Everything about a share. */
export function shareDetails(now: number, share: string): ShareDetails {
  return {
    hash: share.padStart(64, "0"),
    at: now - 1_200,
    payee: payee(share.startsWith("0") ? 0 : 3),
    worker: share.startsWith("0") ? "bitaxe" : null,
    difficulty: 140_000_000,
    version: 35,
    wantedVersion: 35,
    parent: digits(7, 24).padStart(64, "0"),
    loss: "none",
    seen: { kind: "member", address: "203.0.113.5:9333" },
    standing: { kind: "inWindow", until: now + 2 * DAY },
  };
}

/** Recent branching: two branches of one share and one of two. */
export function shareTree(now: number): ShareTree {
  const rows: ShareTree["rows"] = [];
  const lost = new Set([4, 11, 12, 19]);
  const line: number[] = [];
  for (let at = 0; at < 28; at += 1) {
    const isLate = lost.has(at);
    rows.push({
      hash: digits(at + 40, 24).padStart(64, "0"),
      parent: null,
      lane: isLate ? 1 : 0,
      at: now - at * SHARE_SECS,
      payee: payee(at % 9 === 3 ? 0 : at % 7),
      state: isLate ? "late" : "chain",
      isHead: at === 0 || at === 4 || at === 11 || at === 19,
    });
    if (!isLate) line.push(at);
  }
  const next = (at: number) => line.find((other) => other > at) ?? null;
  rows.forEach((row, at) => {
    row.parent = at === 11 ? 12 : next(at);
  });
  return { rows, lanes: 1 };
}

function block(now: number, place: number): PoolBlockRow {
  const days = [41, 62, 98, 17, 133, 28, 75][place] ?? 50;
  const age = [41, 103, 201, 218, 351, 379, 454][place] ?? 500;
  const isMine = place === 1;
  const hasShare = place < 3;
  return {
    blockHash: digits(place + 500, 44).padStart(64, "0"),
    height: 975_031 - age * 144,
    at: now - age * DAY,
    valueSats: 3.125 * COIN + place * 1_234_567,
    foundBy: isMine ? { kind: "me" } : { kind: "member" },
    roundSecs: place === 6 ? null : days * DAY,
    luck: place > 4 ? null : ([1.6, 0.71, 0.22, 2.4, 1.02][place] ?? 1),
    mineSats: hasShare ? 35_988 + place * 7_000 : null,
    minePart: hasShare ? 0.000_115 : null,
    state:
      place === 3 ? { kind: "lost" } : place === 0 ? { kind: "maturing", confirmations: 41, needed: 100, leftSecs: 35_400 } : { kind: "spendable" },
  };
}

/** A pool of the live network. */
export function poolView(now: number): PoolView {
  return {
    chain: {
      newest: digits(1_000_000, 16),
      shares: FULL_WINDOW,
      sharesMax: FULL_WINDOW,
      mine: 13,
      late: 260,
      blocks: 2,
      joining: null,
    },
    round: { since: now - 41 * DAY, effort: 0.12, averageSecs: 335 * DAY },
    blocks: Array.from({ length: 7 }, (_, place) => block(now, place)),
    members: {
      rows: [
        member(1, "203.0.113.5:9333", false, 5 * DAY, 0.042),
        member(2, "198.51.100.77:9333", false, 7_300, 0.118),
        member(3, "[2001:db8:4::9]:9333", true, 640, 0.081),
        member(4, "192.0.2.41:51820", true, 35, null),
      ].map((row) => ({ ...row, since: now - row.since })),
      bans: [{ host: "192.0.2.99", until: now + 80_000 }],
      search: { known: 214, names: 5, tried: 0, reached: 0, dialling: 0 },
    },
    support: { version: 35, part: 0.97, advice: { kind: "none" } },
  };
}

function member(
  id: number,
  address: string,
  isIncoming: boolean,
  since: number,
  pingSecs: number | null,
): PoolView["members"]["rows"][number] {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return {
    id,
    address,
    host,
    isSimulated: false,
    isIncoming,
    program: id === 2 ? "p2pool-desktop/0.1.0" : "77.0.0-16-g",
    protocol: 3_502,
    since,
    pingSecs,
    sharesReceived: 9_210 >> id,
  };
}

/** A pool that nobody is connected to yet. */
export function emptyPool(): PoolView {
  return {
    chain: { newest: null, shares: 0, sharesMax: FULL_WINDOW, mine: 0, late: 0, blocks: 0, joining: null },
    round: { since: null, effort: null, averageSecs: null },
    blocks: [],
    members: { rows: [], bans: [], search: { known: 12, names: 3, tried: 9, reached: 2, dialling: 3 } },
    support: null,
  };
}

/** What the application answers. */
export function poolReply(now: number, request: PoolRequest): AppReply {
  switch (request.kind) {
    case "window": {
      const isKnown = request.since === digits(1_000_000, 16);
      return { kind: "poolWindow", cells: cells(now, isKnown ? 0 : FULL_WINDOW, 0, !isKnown) };
    }
    case "details":
      return { kind: "shareDetails", share: shareDetails(now, request.share) };
    case "tree":
      return { kind: "shareTree", tree: shareTree(now) };
    case "addMember":
    case "ban":
    case "unban":
    case "searchNow":
    case "resetMembers":
      return { kind: "done" };
    default:
      return exhaustive(request);
  }
}
