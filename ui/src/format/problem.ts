import type { ProblemCode } from "../ipc/generated/ProblemCode";
import { isText, t, type TextKey, valueNames } from "../text";

/** Stand-ins for values a report left out: a problem is shown even then. */
const GAPS: Readonly<Record<string, string>> = { count: "1", tried: "0", minutes: "15" };

/** Problems of the Bitcoin node, which in practice is the private chain. */
const IN_PRACTICE: Partial<Record<ProblemCode, TextKey>> = {
  "N-01": "problem.N-01.practice",
  "N-02": "problem.N-01.practice",
  "N-03": "problem.N-01.practice",
  "N-06": "problem.N-01.practice",
  "N-12": "problem.N-12.practice",
  "N-13": "problem.N-13.practice",
};

/** The sentence of a problem. */
export function problemMessage(
  code: ProblemCode,
  values: Readonly<{ [key in string]: string }>,
  isPractice: boolean,
): string {
  // A damaged settings file without a copy to restore was left as it is.
  const kept = code === "E-APP-03" && values["date"] === undefined;
  if (kept) return t("problem.E-APP-03.kept");
  const key = (isPractice ? IN_PRACTICE[code] : undefined) ?? textOf(code);
  return t(key, { ...gaps(key), app: t("app.name"), ...values });
}

/** The sentence that follows a problem once it is over. */
export function solvedMessage(
  code: ProblemCode,
  values: Readonly<{ [key in string]: string }>,
): string {
  const key = `problem.solved.${code[0] ?? ""}`;
  if (!isText(key)) return t("problem.solved.E");
  return t(key, { ...gaps(key), ...values });
}

/** A code of a newer application than this window falls back to the general sentence. */
function textOf(code: ProblemCode): TextKey {
  const key: TextKey = `problem.${code}`;
  return isText(key) ? key : "problem.E-APP-00";
}

function gaps(key: TextKey): Record<string, string> {
  return Object.fromEntries(valueNames(key).map((name) => [name, GAPS[name] ?? "…"]));
}
