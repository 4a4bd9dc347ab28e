import { catalogue } from "./catalogue";
import { fill, type Values } from "./icu";

/** Name of a text in the catalogue. */
export type TextKey = keyof typeof catalogue;

/** Whether the catalogue has a text of this name. */
export function isText(key: string): key is TextKey {
  return Object.hasOwn(catalogue, key);
}

/** Looks a text up and fills in its values. Numbers are grouped as the system does. */
export function t(key: TextKey, values: Values = {}): string {
  return fill(catalogue[key], values, "en");
}

/** Names of the values that a text needs. */
export function valueNames(key: TextKey): string[] {
  return [...catalogue[key].matchAll(/\{(\w+)[},]/g)].map((match) => match[1] ?? "");
}
