import { exhaustive } from "../exhaustive";
import { applied } from "./apply";
import { changed, leaving } from "./fake/computer";
import { series } from "./fake/fixtures";
import { begun, happened, Pretend } from "./fake/pretend";
import { calculation, payoutsView } from "./fake/pages/payouts";
import { pageView } from "./fake/pages";
import { settingsReply } from "./fake/pages/settings";
import { poolReply } from "./fake/pages/pool";
import { afterMiners } from "./fake/pages/miners";
import { checkUpReply, results } from "./fake/pages/checkUp";
import { judged, setUp } from "./fake/pages/setup";
import { beginning, ready, type ScriptName, SCRIPTS } from "./fake/scripts";
import type { AppEvent } from "./generated/AppEvent";
import type { AppReply } from "./generated/AppReply";
import type { AppRequest } from "./generated/AppRequest";
import type { AppSnapshot } from "./generated/AppSnapshot";
import type { Change } from "./generated/Change";
import type { SetupRequest } from "./generated/SetupRequest";
import type { UiError } from "./generated/UiError";
import type { Host } from "./host";

const BEAT_SECS = 2;
const JOIN_SECS = 2;

/**
 * A scripted application. Time passes only by {@link FakeHost.advance}; requests have the effects
 * the real one has, as far as the window can tell.
 */
export class FakeHost implements Host {
  /** Requests received, oldest first. */
  readonly requests: AppRequest[] = [];
  /** Subscriptions received. */
  subscriptions = 0;
  /** What requests end with from now on; `null` if they are understood. */
  refuse: UiError | null = null;
  /** Times it was asked to end. */
  quits = 0;
  /** Times its window was hidden. */
  hides = 0;

  #script: ScriptName;
  #state: AppSnapshot;
  #onEvent: ((event: AppEvent) => void) | null = null;
  #pretend = new Pretend();
  #joinedAt: number | null = null;

  constructor(script: ScriptName, now: number) {
    this.#script = script;
    this.#state = beginning(script, now);
  }

  subscribe(onEvent: (event: AppEvent) => void): Promise<AppSnapshot> {
    this.subscriptions += 1;
    if (this.#script === "loading") return new Promise(() => {});
    if (this.#script === "W-01") {
      return Promise.reject({ code: "W-01", values: {}, technical: "no controller answers" });
    }
    this.#onEvent = onEvent;
    return Promise.resolve(this.#state);
  }

  request(request: AppRequest): Promise<AppReply> {
    this.requests.push(request);
    if (this.refuse !== null) return Promise.reject(this.refuse);
    this.#do(request);
    return Promise.resolve(this.#reply(request));
  }

  hide(): Promise<void> {
    this.hides += 1;
    return Promise.resolve();
  }

  quit(): Promise<void> {
    this.quits += 1;
    return Promise.resolve();
  }

  /** Sends an event, as the application would. */
  send(change: Change): void {
    const seq = this.#state.seq + 1;
    this.#state = { ...applied(this.#state, change), seq, now: this.#state.now };
    this.#onEvent?.({ seq, change });
  }

  /** Loses an event on the way: the next one leaves a gap. */
  loseOne(): void {
    this.#state = { ...this.#state, seq: this.#state.seq + 1 };
  }

  /** Lets a second pass; with `isAlive` the pool goes on mining. */
  advance(now: number, isAlive: boolean): void {
    this.#state = { ...this.#state, now };
    if (this.#script === "stale") return;
    if (isAlive && this.#state.control.kind === "pause") {
      for (const change of this.#pretend.second(this.#state)) this.send(change);
    }
    if (this.#joinedAt !== null && now - this.#joinedAt >= JOIN_SECS) {
      this.#joinedAt = null;
      const isArmed = this.#state.control.kind === "armed";
      this.send({ section: "all", value: { ...ready(now), theme: this.#state.theme } });
      if (isArmed) this.#sendAll(begun(this.#state));
    }
    if (now % BEAT_SECS === 0) this.send({ section: "beat", value: now });
  }

  #reply(request: AppRequest): AppReply {
    if (request.kind === "checkUp") return checkUpReply(request.ask, this.#state.now);
    if (request.kind === "pool") return poolReply(this.#state.now, request.request);
    if (request.kind === "setup" && request.request.kind === "judgeAddress") {
      return { kind: "address", verdict: judged(request.request.text) };
    }
    if (request.kind === "saveFile") return { kind: "saved", path: `~/Downloads/${request.name}` };
    if (request.kind === "settings") return settingsReply(request.request);
    const how = leaving(this.#state, request);
    if (how !== null) return { kind: "leave", how };
    if (request.kind !== "payouts") return { kind: "done" };
    switch (request.request.kind) {
      case "calculate":
        return { kind: "calculated", calculation: calculation(request.request.hashrateHps) };
      case "export":
        return { kind: "saved", path: "~/Downloads/p2pool-payments.csv" };
      case "showTab":
        return { kind: "done" };
    }
  }

  #do(request: AppRequest): void {
    const state = this.#state;
    switch (request.kind) {
      case "enterPractice":
        this.#joinedAt = state.now;
        return this.send({
          section: "all",
          value: {
            ...SCRIPTS.starting(state.now),
            control: { kind: "start", waitsFor: ["node", "shareChain"] },
            theme: state.theme,
          },
        });
      case "leavePractice":
        return this.send({
          section: "all",
          value: { ...SCRIPTS.setup(state.now), theme: state.theme },
        });
      case "startMining":
        return this.#start();
      case "cancelStart":
        return this.send({ section: "control", value: { kind: "start", waitsFor: [] } });
      case "pauseMining":
        return this.#sendAll([
          { section: "overall", value: { state: "paused", sharesCountSecs: 2_340 } },
          { section: "control", value: { kind: "resume" } },
          { section: "rates", value: { ...state.rates, mineHps: null } },
          happened(state, { kind: "miningPaused" }),
        ]);
      case "computer":
        return this.send({ section: "computer", value: changed(state.computer, request.request) });
      case "resumeMining":
        return this.#sendAll(begun(state));
      case "showRange":
        return this.send({
          section: "series",
          value: series(state.now, request.range, state.rates.mineHps ?? 1e6),
        });
      case "showPage":
        return this.send({ section: "page", value: pageView(request.page, state.now) });
      case "setTheme":
        return this.send({ section: "theme", value: request.theme });
      case "dismissProblem":
      case "tryAgain":
        return this.send({
          section: "problems",
          value: state.problems.filter((p) => p.id !== request.problem),
        });
      case "miners":
        if (state.page.page !== "miners") return;
        return this.send({
          section: "page",
          value: { page: "miners", view: afterMiners(state.page.view, request.request, state.now) },
        });
      case "checkUp":
        return request.ask.kind === "runTests" ? this.#check() : undefined;
      case "setup":
        return this.#setUp(request.request);
      case "payouts":
        if (request.request.kind !== "showTab") return;
        return this.send({
          section: "page",
          value: { page: "payouts", view: payoutsView(state.now, request.request.tab) },
        });
      case "saveFile":
      case "openOutside":
      case "settings":
      case "setVisible":
      case "pool":
        return;
      default:
        exhaustive(request);
    }
  }

  /** Runs all tests at once. */
  #check(): void {
    const { page, now } = this.#state;
    if (page.page !== "checkUp") return;
    const tests = { isRunning: false, endedAt: now, results: results("passed") };
    this.send({ section: "page", value: { ...page, view: { ...page.view, tests } } });
  }

  #setUp(request: SetupRequest): void {
    const { page } = this.#state;
    if (page.page !== "setup") return;
    const view = setUp(page.view, request);
    if (view !== null) return this.send({ section: "page", value: { page: "setup", view } });
    this.send({ section: "page", value: { page: "none" } });
    this.send({ section: "all", value: { ...SCRIPTS.live(this.#state.now) } });
  }

  #start(): void {
    const { control } = this.#state;
    if (control.kind !== "start") return;
    if (control.waitsFor.length === 0) this.#sendAll(begun(this.#state));
    else this.send({ section: "control", value: { kind: "armed", waitsFor: control.waitsFor } });
  }

  #sendAll(changes: Change[]): void {
    for (const change of changes) this.send(change);
  }
}
