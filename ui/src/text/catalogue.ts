import { en } from "./en";
import { pool } from "./pages/pool";

/** Every text: what all pages say, and the words of each page. */
export const catalogue = {
  ...en,
  ...pool,
} as const;
