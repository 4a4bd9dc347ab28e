import { en } from "./en";

/** Every text: what all pages say, and the words of each page. */
export const catalogue = {
  ...en,
} as const;
