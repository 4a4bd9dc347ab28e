import { getContext, setContext } from "svelte";

const QUERY = Symbol("query");

/** Tells the rows below what is searched for. */
export function provideQuery(read: () => string): void {
  setContext(QUERY, read);
}

/** What is searched for. */
export function queried(): () => string {
  return getContext<(() => string) | undefined>(QUERY) ?? (() => "");
}

/** Whether every word of the query stands somewhere in the words of a row. */
export function isFound(query: string, words: string): boolean {
  const all = words.toLocaleLowerCase();
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
