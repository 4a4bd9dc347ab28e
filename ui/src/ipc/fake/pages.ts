import type { Page } from "../generated/Page";
import type { PageView } from "../generated/PageView";
import { payoutsView } from "./pages/payouts";
import { settingsView } from "./pages/settings";
import { poolView } from "./pages/pool";
import { minersView } from "./pages/miners";
import { checkUp } from "./pages/checkUp";

/** What a page shows, typically. */
export function pageView(page: Page, now: number): PageView {
  switch (page) {
    case "pool":
      return { page: "pool", view: poolView(now) };
    case "miners":
      return { page: "miners", view: minersView(now) };
    case "checkUp":
      return { page: "checkUp", view: checkUp(now) };
    case "payouts":
      return { page: "payouts", view: payoutsView(now, "received") };
    case "settings":
      return { page: "settings", view: settingsView(now) };
    default:
      return { page: "none" };
  }
}
