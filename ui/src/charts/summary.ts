import { date, dateTime, timeOfDay } from "../format/time";
import type { ChartRange } from "../ipc/generated/ChartRange";
import { t } from "../text";
import { type ChartData, extremes, type Unit } from "./chart";

/** Buckets up to this width are named by their time of day alone in a chart of one day. */
const MINUTES = 60;
const DAY = 86_400;

/** A bucket's time in words: to the second, to the minute, or the day alone. */
export function bucketTime(at: number, stepSecs: number): string {
  if (stepSecs <= MINUTES) return timeOfDay(at);
  return stepSecs >= DAY ? date(at) : dateTime(at);
}

/** What a chart shows, in a sentence for each line. */
export function summaryText(
  title: string,
  data: ChartData,
  unit: Unit,
  range: ChartRange | undefined,
): string {
  const period = range === undefined ? title : t("chart.period", { title, range: t(`chart.${range}`) });
  const lines = data.lines.flatMap((line) => {
    const found = extremes(data, line);
    if (found === null) return [];
    return [
      t("chart.summary", {
        line: line.label,
        average: unit.text(found.average),
        lowest: unit.text(found.lowest.value),
        lowestAt: bucketTime(found.lowest.at, data.stepSecs),
        highest: unit.text(found.highest.value),
        highestAt: bucketTime(found.highest.at, data.stepSecs),
      }),
    ];
  });
  return lines.length === 0 ? t("chart.summary.empty", { title: period }) : [`${period}:`, ...lines].join(" ");
}
