import type { AppReply } from "../../ipc/generated/AppReply";
import type { AppRequest } from "../../ipc/generated/AppRequest";
import type { CellPayee } from "../../ipc/generated/CellPayee";
import type { ShareCells } from "../../ipc/generated/ShareCells";
import { hueOf } from "./hue";

/** Digits of a share's short name; the border's SHARE_ID_DIGITS. */
const ID_DIGITS = 16;
const MINE = 1;
const LATE = 2;
const BLOCK = 4;

/** One share of the window. */
export interface Cell {
  readonly id: string;
  /** Unix seconds. */
  readonly at: number;
  readonly payee: CellPayee;
  /** The colour of the address. */
  readonly hue: number;
  readonly isMine: boolean;
  readonly isLate: boolean;
  readonly isBlock: boolean;
}

/** Unpacks shares as they travel. */
export function unpacked(cells: ShareCells): Cell[] {
  const unknown: CellPayee = { party: { kind: "member" }, address: "" };
  const hues = cells.payees.map((payee) => hueOf(payee.address));
  return cells.times.map((at, place) => {
    const mark = Number(cells.marks[place] ?? 0);
    const of = cells.payeeOf[place] ?? 0;
    return {
      id: cells.ids.slice(place * ID_DIGITS, (place + 1) * ID_DIGITS),
      at,
      payee: cells.payees[of] ?? unknown,
      hue: hues[of] ?? 0,
      isMine: (mark & MINE) !== 0,
      isLate: (mark & LATE) !== 0,
      isBlock: (mark & BLOCK) !== 0,
    };
  });
}

/** The shares before, with newer ones put in front and those that left taken off the end. */
export function renewed(before: readonly Cell[], cells: ShareCells): Cell[] {
  const newer = unpacked(cells);
  return cells.isWhole ? newer : [...newer, ...before].slice(0, cells.total);
}

/** The shares of the window as far as they are here. */
export class ShareWindow {
  /** Newest first. */
  cells: readonly Cell[] = $state.raw([]);
  isLoaded = $state(false);

  #ask: (request: AppRequest) => Promise<AppReply | null>;
  #isAsking = false;
  #isAskedAgain = false;

  constructor(ask: (request: AppRequest) => Promise<AppReply | null>) {
    this.#ask = ask;
  }

  /** Fetches what is new; one question at a time. */
  async renew(): Promise<void> {
    if (this.#isAsking) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isAsking = true;
    do {
      this.#isAskedAgain = false;
      const since = this.cells[0]?.id ?? null;
      const reply = await this.#ask({ kind: "pool", request: { kind: "window", since } });
      if (reply?.kind !== "poolWindow") break;
      this.cells = renewed(this.cells, reply.cells);
      this.isLoaded = true;
    } while (this.#isAskedAgain);
    this.#isAsking = false;
  }
}
