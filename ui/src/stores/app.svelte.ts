import type { AppEvent } from "../ipc/generated/AppEvent";
import type { AppReply } from "../ipc/generated/AppReply";
import type { AppRequest } from "../ipc/generated/AppRequest";
import type { AppSnapshot } from "../ipc/generated/AppSnapshot";
import type { CloseChoice } from "../ipc/generated/CloseChoice";
import type { Problem } from "../ipc/generated/Problem";
import type { UiError } from "../ipc/generated/UiError";
import { asUiError, type Host } from "../ipc/host";
import { t } from "../text";
import type { Clock } from "./clock.svelte";
import { LogStore } from "./log.svelte";
import { View } from "./view.svelte";

/** Silence after which data looks stale, in seconds; the border's STALE_SECS_MIN. */
export const STALE_SECS_MIN = 10;
/** Silence after which the engine counts as lost, in seconds; the border's LOST_SECS_MIN. */
export const LOST_SECS_MIN = 30;
/** Pause between attempts to subscribe again, in seconds. */
export const RETRY_SECS = 5;
/** Events kept while the snapshot they follow is on its way. */
const EARLY_EVENTS_MAX = 4_096;
/** Ids of the problems the window raises by itself; the border's are never negative. */
const LOST_PROBLEM_ID = -1;
const FAILED_PROBLEM_ID = -2;

/** How the conversation with the application stands. */
export type Connection = "connecting" | "open" | "lost";

/** One subscription; a newer one makes it deaf. */
interface Stream {
  /** Events that overtook the snapshot; `null` once it is there. */
  early: AppEvent[] | null;
}

/** The conversation with the application: one stream in, requests out. */
export class AppStore {
  /** What the window shows; `null` until the first snapshot. */
  view: View | null = $state.raw(null);
  connection: Connection = $state("connecting");
  /** The log, which the view keeps no lines of. */
  readonly log = new LogStore((ask) => this.request({ kind: "checkUp", ask }));

  #host: Host;
  #clock: Clock;
  #stream: Stream | null = null;
  #seq = 0;
  #heardAt = $state(0);
  #triedAt = 0;
  #lostError: UiError | null = $state.raw(null);
  #failed: { error: UiError; at: number } | null = $state.raw(null);

  constructor(host: Host, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** Seconds since the application was last heard of. */
  get silentSecs(): number {
    return Math.max(0, this.#clock.now - this.#heardAt);
  }

  /** When the application was last heard of. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Whether the data shown is old. */
  get isStale(): boolean {
    return this.view !== null && this.silentSecs >= STALE_SECS_MIN;
  }

  /** Problems to show: the window's own first, then the application's. */
  get problems(): Problem[] {
    return [...this.#ownProblems(), ...(this.view?.problems ?? [])];
  }

  /** Begins a new stream. Never rejects: a failure is a problem to show. */
  async connect(): Promise<void> {
    const stream: Stream = { early: [] };
    this.#stream = stream;
    this.#triedAt = this.#clock.now;
    try {
      const snapshot = await this.#host.subscribe((event) => this.#hear(stream, event));
      if (this.#stream === stream) this.#open(stream, snapshot);
    } catch (thrown) {
      if (this.#stream === stream) this.#lose(asUiError(thrown, t("doing.connect")));
    }
  }

  /**
   * Asks for a deed, or a question; resolves with the answer. Never rejects: a failure is a problem
   * to show, and the answer is `null`.
   */
  async request(request: AppRequest): Promise<AppReply | null> {
    try {
      const reply = await this.#host.request(request);
      this.#failed = null;
      return reply;
    } catch (thrown) {
      this.#failed = { error: asUiError(thrown, t("doing.request")), at: this.#clock.now };
      return null;
    }
  }

  /** Quits, unless the person has to be asked first. Never rejects. */
  async askToQuit(): Promise<void> {
    const reply = await this.request({ kind: "computer", request: { kind: "askToQuit" } });
    if (reply === null || (reply.kind === "leave" && reply.how === "quit")) await this.quit();
  }

  /** Takes the question back; mining and the window stay. */
  async stay(): Promise<void> {
    await this.request({ kind: "computer", request: { kind: "answered" } });
  }

  /** Hides the window, as the person answered; `remember` makes that the rule. */
  async keepRunning(remember: boolean): Promise<void> {
    if (remember) await this.#rule("keepRunning");
    await this.stay();
    try {
      await this.#host.hide();
    } catch (thrown) {
      this.#failed = { error: asUiError(thrown, t("doing.request")), at: this.#clock.now };
    }
  }

  /** Quits, as the person answered; `remember` makes that the rule of the close button. */
  async quitAsAnswered(remember: boolean): Promise<void> {
    if (remember) await this.#rule("quit");
    await this.quit();
  }

  async #rule(choice: CloseChoice): Promise<void> {
    await this.request({ kind: "computer", request: { kind: "onClose", choice } });
  }

  /** Ends the application. Never rejects: a failure is a problem to show. */
  async quit(): Promise<void> {
    try {
      await this.#host.quit();
    } catch (thrown) {
      this.#failed = { error: asUiError(thrown, t("doing.quit")), at: this.#clock.now };
    }
  }

  /** Hides a problem. */
  dismiss(problem: Problem): void {
    if (problem.id === FAILED_PROBLEM_ID) this.#failed = null;
    else void this.request({ kind: "dismissProblem", problem: problem.id });
  }

  /** Notices silence; call it once a second. */
  tick(): void {
    if (this.connection === "open" && this.silentSecs >= LOST_SECS_MIN) this.#lose(null);
    const isDue = this.#clock.now - this.#triedAt >= RETRY_SECS;
    if (this.connection === "lost" && isDue) void this.connect();
  }

  #hear(stream: Stream, event: AppEvent): void {
    if (this.#stream !== stream) return;
    if (stream.early === null) this.#apply(event);
    else if (stream.early.length < EARLY_EVENTS_MAX) stream.early.push(event);
  }

  #open(stream: Stream, snapshot: AppSnapshot): void {
    this.#seq = snapshot.seq;
    if (this.view === null) this.view = new View(snapshot);
    else this.view.load(snapshot);
    this.connection = "open";
    this.#lostError = null;
    this.#heardAt = this.#clock.now;
    const early = stream.early ?? [];
    stream.early = null;
    for (const event of early) {
      if (event.seq > snapshot.seq && this.#stream === stream) this.#apply(event);
    }
    // Lines sent between the two streams are lost.
    this.log.again();
  }

  #apply(event: AppEvent): void {
    if (event.seq !== this.#seq + 1) {
      void this.connect();
      return;
    }
    this.#seq = event.seq;
    this.#heardAt = this.#clock.now;
    if (event.change.section === "log") this.log.append(event.change.value);
    else this.view?.apply(event.change);
  }

  #lose(error: UiError | null): void {
    this.connection = "lost";
    this.#lostError = error;
  }

  #ownProblems(): Problem[] {
    const own: Problem[] = [];
    if (this.connection === "lost") {
      // Whatever the reason given, to the user it is one thing: the engine does not answer.
      const code = this.#lostError?.code ?? "W-01";
      own.push({
        id: LOST_PROBLEM_ID,
        code: code === "E-APP-00" ? "W-01" : code,
        severity: "error",
        since: this.#heardAt,
        values: this.#lostError?.values ?? {},
        technical: this.#lostError?.technical ?? "",
        actions: ["reload"],
      });
    }
    if (this.#failed !== null) {
      const { error, at } = this.#failed;
      own.push({
        id: FAILED_PROBLEM_ID,
        code: error.code,
        severity: "error",
        since: at,
        values: error.values,
        technical: error.technical,
        actions: ["dismiss"],
      });
    }
    return own;
  }
}
