import { en } from "./en";
import { payouts } from "./pages/payouts";
import { pool } from "./pages/pool";
import { connect } from "./pages/connect";
import { miners } from "./pages/miners";
import { checkUp } from "./pages/checkUp";
import { settings } from "./pages/settings";
import { setup } from "./pages/setup";
import { log } from "./pages/log";
import { report } from "./pages/report";
import { leave } from "./leave";

/** Every text: what all pages say, and the words of each page. */
export const catalogue = {
  ...en,
  ...payouts,
  ...pool,
  ...connect,
  ...miners,
  ...checkUp,
  ...settings,
  ...setup,
  ...report,
  ...log,
  ...leave,
} as const;
