import type { Component } from "svelte";
import type { NavEntry, PageProps } from "./components/page";
import CheckUp from "./pages/CheckUp/CheckUp.svelte";
import Home from "./pages/Home/Home.svelte";
import Miners from "./pages/Miners/Miners.svelte";
import Payouts from "./pages/Payouts/Payouts.svelte";
import Pool from "./pages/Pool/Pool.svelte";
import Settings from "./pages/Settings/Settings.svelte";

/** A page of the window. */
export interface PageEntry extends NavEntry {
  component: Component<PageProps>;
}

/** The pages of the side bar, in its order. */
export const PAGES: readonly PageEntry[] = [
  { page: "home", icon: "home", label: "nav.home", component: Home },
  { page: "miners", icon: "miners", label: "nav.miners", component: Miners },
  { page: "payouts", icon: "payouts", label: "nav.payouts", component: Payouts },
  { page: "pool", icon: "pool", label: "nav.pool", component: Pool },
  { page: "checkUp", icon: "checkUp", label: "nav.checkUp", component: CheckUp },
  { page: "settings", icon: "settings", label: "nav.settings", component: Settings },
];
