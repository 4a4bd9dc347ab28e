import type { AppEvent } from "./generated/AppEvent";
import type { AppReply } from "./generated/AppReply";
import type { AppRequest } from "./generated/AppRequest";
import type { AppSnapshot } from "./generated/AppSnapshot";
import type { UiError } from "./generated/UiError";

/** What the window needs from whatever holds the application: the desktop shell, or a fake. */
export interface Host {
  /**
   * Begins a new stream of events and returns the snapshot it starts from. Ends the stream before
   * it. Events may arrive before the snapshot does.
   *
   * Rejects with a {@link UiError}.
   */
  subscribe(onEvent: (event: AppEvent) => void): Promise<AppSnapshot>;

  /** Asks for a deed. Its effect arrives as events. Rejects with a {@link UiError}. */
  request(request: AppRequest): Promise<AppReply>;

  /** Hides the window, or minimises it where there is no tray; mining goes on. */
  hide(): Promise<void>;

  /** Ends the application in order: closing the window alone does not while a node runs. */
  quit(): Promise<void>;
}

/** Reads a rejection as a {@link UiError}, whatever was thrown. */
export function asUiError(thrown: unknown, doing: string): UiError {
  if (isUiError(thrown)) return thrown;
  const technical = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "E-APP-00", values: { doing }, technical };
}

function isUiError(thrown: unknown): thrown is UiError {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    "code" in thrown &&
    "values" in thrown &&
    "technical" in thrown
  );
}
