import type { AppReply } from "../ipc/generated/AppReply";
import type { CheckUpRequest } from "../ipc/generated/CheckUpRequest";
import type { LogLevel } from "../ipc/generated/LogLevel";
import type { LogLine } from "../ipc/generated/LogLine";
import type { LogSource } from "../ipc/generated/LogSource";

/** Lines that are kept; the application's LOG_LINES_MAX. */
export const LOG_LINES_MAX = 100_000;

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/** What of the log is looked at. */
export interface LogFilter {
  /** The lowest level. */
  level: LogLevel;
  source: LogSource | "all";
  /** Words a line has to hold, in whatever case. */
  search: string;
}

/** The lines of the log, for as long as they are looked at. */
export class LogStore {
  /** Lines that pass the filter, oldest first. */
  shown: readonly LogLine[] = $state.raw([]);
  filter: LogFilter = $state.raw({ level: "info", source: "all", search: "" });
  isPaused: boolean = $state(false);

  #ask: (ask: CheckUpRequest) => Promise<AppReply | null>;
  #lines: readonly LogLine[] = [];
  /** Number of the last line shown while paused. */
  #until = Infinity;
  /** The look in progress; a newer one, or none, makes it deaf. */
  #look: symbol | null = null;

  constructor(ask: (ask: CheckUpRequest) => Promise<AppReply | null>) {
    this.#ask = ask;
  }

  /** How many lines are kept, whatever the filter. */
  get count(): number {
    return this.#lines.length;
  }

  /** Begins to look: asks for new lines as they come, and reads the older ones, newest first. */
  async open(): Promise<void> {
    const look = Symbol("look");
    this.#look = look;
    this.#forget();
    await this.#ask({ kind: "showLog", isShown: true });
    let before: number | null = null;
    while (this.#look === look && this.#lines.length < LOG_LINES_MAX) {
      const reply: AppReply | null = await this.#ask({ kind: "readLog", before });
      if (this.#look !== look || reply?.kind !== "log") return;
      const { lines, hasOlder } = reply.log;
      this.#prepend(lines);
      before = lines[0]?.number ?? null;
      if (!hasOlder || before === null) return;
    }
  }

  /** Ends looking: no line is sent or kept any more. */
  close(): void {
    this.#look = null;
    this.#forget();
    void this.#ask({ kind: "showLog", isShown: false });
  }

  /** Begins anew if looked at, because lines may have been lost. */
  again(): void {
    if (this.#look !== null) void this.open();
  }

  /** Takes in new lines; those already there are left out. */
  append(lines: readonly LogLine[]): void {
    if (this.#look === null) return;
    const last = this.#lines.at(-1)?.number ?? 0;
    const fresh = lines.filter((line) => line.number > last);
    if (fresh.length === 0) return;
    this.#lines = [...this.#lines, ...fresh].slice(-LOG_LINES_MAX);
    if (this.isPaused) return;
    const passing = this.#passing(fresh);
    if (passing.length > 0) this.shown = [...this.shown, ...passing].slice(-LOG_LINES_MAX);
  }

  /** Looks at other lines. */
  choose(change: Partial<LogFilter>): void {
    this.filter = { ...this.filter, ...change };
    this.#show();
  }

  /** Stops the list, or lets it go on with what came meanwhile. */
  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.#until = isPaused ? (this.#lines.at(-1)?.number ?? 0) : Infinity;
    if (!isPaused) this.#show();
  }

  #forget(): void {
    this.#lines = [];
    this.shown = [];
    this.isPaused = false;
    this.#until = Infinity;
  }

  #prepend(lines: readonly LogLine[]): void {
    const oldest = this.#lines[0]?.number ?? Infinity;
    const older = lines.filter((line) => line.number < oldest);
    this.#lines = [...older, ...this.#lines].slice(-LOG_LINES_MAX);
    this.#show();
  }

  #show(): void {
    this.shown = this.#passing(this.#lines);
  }

  #passing(lines: readonly LogLine[]): LogLine[] {
    const { level, source, search } = this.filter;
    const levels = new Set(LEVELS.slice(LEVELS.indexOf(level)));
    const words = search.trim().toLowerCase();
    return lines.filter(
      (line) =>
        line.number <= this.#until &&
        levels.has(line.level) &&
        (source === "all" || line.source === source) &&
        (words === "" || `${line.message}\n${line.raw}`.toLowerCase().includes(words)),
    );
  }
}
