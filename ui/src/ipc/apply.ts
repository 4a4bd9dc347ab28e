import { exhaustive } from "../exhaustive";
import type { AppSnapshot } from "./generated/AppSnapshot";
import type { Change } from "./generated/Change";
import type { Series } from "./generated/Series";
import type { SeriesPoint } from "./generated/SeriesPoint";

/** Entries of *Latest*; the border's EVENTS_MAX. */
export const EVENTS_MAX = 20;

/** The snapshot after a change: the sections that did not change stay the same objects. */
export function applied(snapshot: AppSnapshot, change: Change): AppSnapshot {
  switch (change.section) {
    case "all":
      return change.value;
    case "overall":
      return { ...snapshot, overall: change.value };
    case "control":
      return { ...snapshot, control: change.value };
    case "hero":
      return { ...snapshot, hero: change.value };
    case "effort":
      return { ...snapshot, effort: change.value };
    case "rates":
      return { ...snapshot, rates: change.value };
    case "series":
      return { ...snapshot, series: change.value };
    case "seriesAppended":
      return { ...snapshot, series: appended(snapshot.series, change.value) };
    case "shares":
      return { ...snapshot, shares: change.value };
    case "payouts":
      return { ...snapshot, payouts: change.value };
    case "lights":
      return { ...snapshot, lights: change.value };
    case "problems":
      return { ...snapshot, problems: change.value };
    case "eventAdded":
      return { ...snapshot, events: [change.value, ...snapshot.events].slice(0, EVENTS_MAX) };
    case "practice":
      return { ...snapshot, practice: change.value };
    case "computer":
      return { ...snapshot, computer: change.value };
    case "theme":
      return { ...snapshot, theme: change.value };
    case "appearance":
      return { ...snapshot, appearance: change.value };
    case "page":
      return { ...snapshot, page: change.value };
    // Kept by whoever looks at it.
    case "log":
      return snapshot;
    case "beat":
      return { ...snapshot, now: change.value };
    default:
      return exhaustive(change);
  }
}

/** The border's rule for a new bucket: replace one of the same time, forget those out of range. */
function appended(series: Series, point: SeriesPoint): Series {
  const oldest = point.at - series.spanSecs;
  const kept = series.points.filter((old) => old.at >= oldest && old.at !== point.at);
  return { ...series, points: [...kept, point] };
}
