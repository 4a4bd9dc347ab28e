import { iso, timeOfDay } from "../../format/time";
import type { LogLine } from "../../ipc/generated/LogLine";
import { t } from "../../text";

/** How lines are written out. */
export type LogLook = "plain" | "raw";

/** A line as the list shows it; colour is never the only sign of its level. */
export function shownLine(line: LogLine, look: LogLook): string {
  return look === "raw" ? rawLine(line) : `${timeOfDay(line.at)}  ${sentence(line)}`;
}

/** Lines as they are copied: with the day, to be read elsewhere. */
export function copiedLines(lines: readonly LogLine[], look: LogLook): string {
  const written = (line: LogLine) =>
    look === "raw" ? rawLine(line) : `${iso(line.at)}  ${sentence(line)}`;
  return lines.map(written).join("\n");
}

function sentence({ level, message }: LogLine): string {
  if (level === "warn") return t("log.line.warn", { message });
  if (level === "error") return t("log.line.error", { message });
  return message;
}

function rawLine(line: LogLine): string {
  const level = line.level.toUpperCase().padEnd(5);
  return `${iso(line.at)} ${level} ${line.source.padEnd(6)} ${line.message} | ${line.raw}`;
}
