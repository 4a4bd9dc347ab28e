import type { LogLevel } from "../generated/LogLevel";
import type { LogLine } from "../generated/LogLine";
import type { LogLines } from "../generated/LogLines";
import type { LogSource } from "../generated/LogSource";

/** Lines in one answer; the border's LOG_BATCH_MAX. */
export const LOG_BATCH_MAX = 5_000;
/** Lines the fake has from the beginning. */
const FAKE_LINES = 12_000;

const SAID: readonly [LogLevel, LogSource, string, string][] = [
  ["info", "node", "new block 975120", "p2pool_bitcoind::tip: height=975120"],
  ["debug", "pool", "share accepted from a member", "p2pool_node::chain: work=81b2f0"],
  ["info", "miners", "bitaxe: difficulty is now 512", "p2pool_stratum::door: worker=bitaxe"],
  ["warn", "pool", "a member was slow and is left alone for a minute", "p2pool_wire::peer: ms=5012"],
  ["trace", "app", "snapshot sent", "p2pool_app::controller: bytes=4210"],
  ["info", "pool", "18 shares checked", "p2pool_engine::verify: took_ms=12"],
  ["error", "node", "no answer within 10 seconds, asked again", "p2pool_bitcoind::rpc: call=getblocktemplate"],
];

/** A line of the log; every run says the same. */
export function logLine(number: number, at: number): LogLine {
  const said = SAID[number % SAID.length] ?? SAID[0];
  if (said === undefined) throw new Error("the fake says nothing");
  const [level, source, message, raw] = said;
  return { number, at, level, source, message, raw };
}

/** What the application answers: the newest lines before a number, or of all. */
export function logBefore(before: number | null, now: number, total = FAKE_LINES): LogLines {
  const end = before ?? total + 1;
  const begin = Math.max(1, end - LOG_BATCH_MAX);
  const line = (_: unknown, index: number) => logLine(begin + index, now - total + begin + index);
  return { lines: Array.from({ length: Math.max(0, end - begin) }, line), hasOlder: begin > 1 };
}
