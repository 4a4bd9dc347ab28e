import { t } from "../text";
import { duration } from "./duration";

const RELATIVE_SECS_MAX = 48 * 3600;
const MINUTE = 60;

/** A moment as people say it: relative under 48 hours, a date after that. */
export function ago(at: number, now: number, locale?: string): string {
  const secs = Math.max(0, now - at);
  if (secs < MINUTE) return t("time.just_now");
  if (secs < RELATIVE_SECS_MAX) {
    // Whole minutes: a list of moments that tick by the second would never be still.
    return t("time.ago", { duration: duration(secs - (secs % MINUTE)) });
  }
  return dateTime(at, locale);
}

/** The same where the day is enough: relative under 48 hours, the day after that. */
export function recent(at: number, now: number, locale?: string): string {
  return now - at < RELATIVE_SECS_MAX ? ago(at, now, locale) : date(at, locale);
}

/** A moment in the system's own style, to the minute. */
export function dateTime(at: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    at * 1000,
  );
}

/** A day in the system's own style. */
export function date(at: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at * 1000);
}

/** The time of day in the system's own style, to the second. */
export function timeOfDay(at: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(at * 1000);
}

/** A moment as ISO 8601 with the local zone's offset, for tooltips. */
export function iso(at: number): string {
  const date = new Date(at * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const minutes = Math.abs(offset);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
