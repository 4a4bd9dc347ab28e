import type { AppReply } from "../ipc/generated/AppReply";
import type { AppRequest } from "../ipc/generated/AppRequest";
import type { AppSnapshot } from "../ipc/generated/AppSnapshot";
import type { LogLevel } from "../ipc/generated/LogLevel";
import type { LogLine } from "../ipc/generated/LogLine";
import type { LogSource } from "../ipc/generated/LogSource";
import type { Problem } from "../ipc/generated/Problem";
import type { ProblemAction } from "../ipc/generated/ProblemAction";
import type { Page } from "../ipc/generated/Page";
import type { TextKey } from "../text";
import type { IconName } from "./Icon.svelte";

/** The log, as the page that shows it is given it. */
export interface LogView {
  /** Lines that pass the filter, oldest first. */
  readonly shown: readonly LogLine[];
  readonly filter: { level: LogLevel; source: LogSource | "all"; search: string };
  readonly isPaused: boolean;
  /** Begins to look. */
  open(): Promise<void>;
  /** Ends looking: no line is sent or kept any more. */
  close(): void;
  /** Looks at other lines. */
  choose(change: Partial<LogView["filter"]>): void;
  /** Stops the list, or lets it go on with what came meanwhile. */
  pause(isPaused: boolean): void;
}

/** What every page is given. */
export interface PageProps {
  /** The application's state; its `page` is what this page alone shows. */
  view: Omit<AppSnapshot, "seq" | "now">;
  /** The present time, in whole seconds. */
  now: number;
  /** The look in force, for what is drawn rather than styled. */
  look: "dark" | "light";
  /** The part of the page that was asked for. */
  part?: string | null;
  /** The log; read for as long as a page has it open. */
  log?: LogView;
  /** Asks for a deed, or a question; `null` if it failed, which is shown as a problem. */
  ask: (request: AppRequest) => Promise<AppReply | null>;
  /** Presses a button of a problem. */
  act: (problem: Problem, action: ProblemAction) => void;
  /** Goes to another page, or to the element of this `id` on it. */
  show: (page: Page, part?: string) => void;
}

/** A page as the side bar lists it. */
export interface NavEntry {
  page: Page;
  icon: IconName;
  label: TextKey;
}
