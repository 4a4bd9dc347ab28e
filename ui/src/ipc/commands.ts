/** Names of the commands the shell registers. No other file names one. */
export const COMMANDS = {
  /** Argument `channel`; replies with a snapshot and streams events into the channel. */
  subscribe: "subscribe",
  /** Argument `request`; replies when the request was understood. */
  request: "request",
  /** Hides the window, or minimises it where there is no tray. */
  hide: "hide",
  /** Ends the application in order, whatever runs. */
  quit: "quit",
} as const;
