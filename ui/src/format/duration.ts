import { t } from "../text";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365.25 * DAY;
const MONTH = YEAR / 12;

/** Seconds are told only of short durations: nobody plans by them after ten minutes. */
const SECONDS_SHOWN_BELOW = 10 * MINUTE;

/**
 * A duration in its two largest units: `6 h 50 min`, `2 d 3 h`; from two months on in months,
 * above two years in years.
 */
export function duration(secs: number): string {
  if (secs < MINUTE) return t("duration.under_minute");
  if (secs >= 100 * YEAR) return t("duration.over_century");
  if (secs >= 2 * YEAR) return t("duration.years", { years: Math.round(secs / YEAR) });
  const days = Math.floor(secs / DAY);
  if (days >= 60) return t("duration.months", { months: Math.round(secs / MONTH) });
  const hours = Math.floor((secs % DAY) / HOUR);
  if (days > 0) {
    return hours > 0 ? t("duration.days_hours", { days, hours }) : t("duration.days", { days });
  }
  const minutes = Math.floor((secs % HOUR) / MINUTE);
  if (hours > 0) {
    return minutes > 0
      ? t("duration.hours_minutes", { hours, minutes })
      : t("duration.hours", { hours });
  }
  const seconds = Math.floor(secs % MINUTE);
  return secs < SECONDS_SHOWN_BELOW && seconds > 0
    ? t("duration.minutes_seconds", { minutes, seconds })
    : t("duration.minutes", { minutes });
}

/** An estimated duration: `about 6 h 50 min`. */
export function about(secs: number): string {
  const text = duration(secs);
  const isBound = secs < MINUTE || secs >= 100 * YEAR;
  return isBound ? text : t("duration.about", { duration: text });
}
