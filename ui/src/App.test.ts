import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";
import App from "./App.svelte";
import { amount } from "./format/shown_amount.svelte";
import { FakeHost } from "./ipc/fake";
import { computer } from "./ipc/fake/computer";
import { setupView } from "./ipc/fake/pages/setup";
import { type ScriptName, SCRIPTS } from "./ipc/fake/scripts";
import type { AppRequest } from "./ipc/generated/AppRequest";
import { AppStore, STALE_SECS_MIN } from "./stores/app.svelte";
import { Clock } from "./stores/clock.svelte";
import { PagesStore } from "./stores/pages.svelte";
import { ThemeStore } from "./stores/theme.svelte";
import { t } from "./text";

const NOW = 1_795_400_000;
const byId = (id: string) => screen.getByTestId(id);
const absent = (id: string) => screen.queryByTestId(id) === null;
const text = (id: string) => byId(id).textContent?.replaceAll(/\s+/g, " ").trim();

async function open(script: ScriptName) {
  const host = new FakeHost(script, NOW);
  const clock = new Clock(NOW);
  const app = new AppStore(host, clock);
  render(App, { props: { app, clock, pages: new PagesStore(app), theme: new ThemeStore(window) } });
  void app.connect();
  await settle();
  return { host, clock, app };
}

async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await tick();
}

async function press(id: string) {
  await fireEvent.click(byId(id));
  await settle();
}

const asked = (host: FakeHost): AppRequest | undefined => host.requests.at(-1);

describe("Welcome", () => {
  it("offers practice and opens it", async () => {
    const { host } = await open("setup");
    expect(byId("page-welcome")).toBeTruthy();
    expect(absent("nav-home")).toBe(true);
    expect(absent("practice-band")).toBe(true);
    await press("practice-button");
    expect(asked(host)).toEqual({ kind: "enterPractice", keepsLive: true });
    expect(byId("page-home")).toBeTruthy();
    expect(byId("practice-band").textContent).toContain(t("practice.band"));
  });

  it("leads to the Bitcoin node", async () => {
    const { host } = await open("setup");
    await press("setup-button");
    expect(asked(host)).toEqual({ kind: "setup", request: { kind: "goTo", step: "node" } });
    expect(byId("wizard-step-node")).toBeTruthy();
  });

  it("is frank about waiting, with the number once it is known", async () => {
    const { host } = await open("setup");
    expect(byId("page-welcome").textContent).toContain("months to years");
    const poolBlockSecs = SCRIPTS.live(NOW).hero.poolBlockSecs;
    const view = { ...setupView(), poolBlockSecs };
    host.send({ section: "page", value: { page: "setup", view } });
    await settle();
    expect(byId("page-welcome").textContent).toContain("about 11 months");
  });
});

const STATES = [
  "node_down",
  "node_syncing",
  "joining",
  "no_members",
  "waiting_miner",
  "first_share",
  "between",
  "earning",
  "paused",
  "degraded",
  "blocked",
] as const satisfies readonly ScriptName[];

describe("Home", () => {
  it.each(STATES)("has a pill and a title in the state %s", async (state) => {
    await open(state);
    expect(byId("status-pill").dataset["state"]).toBe(state);
    expect(text("hero-title")).not.toBe("");
    expect(byId("pool-wait")).toBeTruthy();
  });

  it("shows the amount to the satoshi, next to the average wait", async () => {
    await open("earning");
    const { hero } = SCRIPTS.earning(NOW);
    expect(byId("hero-amount").dataset["sats"]).toBe(String(hero.amountSats));
    expect(byId("hero-amount").textContent?.trim()).toBe(amount(hero.amountSats ?? 0));
    expect(text("hero-title")).toBe(t("hero.amount.title"));
    expect(text("pool-wait")).toBe("about 3 min 10 s");
  });

  it("shows no amount while no share of mine is in the window", async () => {
    await open("first_share");
    expect(absent("hero-amount")).toBe(true);
    expect(text("hero-effort")).toContain("61");
  });

  it("lets effort pass 100 % without alarm", async () => {
    await open("between");
    expect(text("hero-effort")).toContain("172");
    expect(absent("error-card")).toBe(true);
  });

  it("counts my shares and lists who was paid by each block", async () => {
    await open("earning");
    const { payouts, shares } = SCRIPTS.earning(NOW);
    expect(text("shares-mine")).toBe(String(shares.mineTotal));
    const rows = screen.getAllByTestId("payout-row");
    expect(rows).toHaveLength(payouts.rows.length);
    expect(rows[0]?.textContent).toContain("maturing 1/100");
    expect(rows[2]?.textContent).toContain(t("payouts.none"));
    expect(rows[3]?.dataset["state"]).toBe("lost");
    expect(rows[4]?.dataset["state"]).toBe("spendable");

    const button = rows[0]?.querySelector("button");
    await fireEvent.click(button as HTMLButtonElement);
    await settle();
    const payees = payouts.rows[0]?.payees ?? [];
    expect(screen.getAllByTestId("payee-row")).toHaveLength(payees.length);
    expect(byId("payout-sum").dataset["exact"]).toBe("true");
  });

  it("says what is not there yet instead of showing empty tables", async () => {
    await open("ready");
    expect(byId("payouts-empty")).toBeTruthy();
    expect(screen.queryAllByTestId("payout-row")).toEqual([]);
    expect(text("hashrate-value")).toBe(t("value.none"));
    expect(text("shares-mine")).toBe("0");
  });

  it("lists what happened, newest first", async () => {
    const { host } = await open("earning");
    const before = screen.getAllByTestId("event-row").length;
    host.send({
      section: "eventAdded",
      value: { id: 99, at: NOW, what: { kind: "miningPaused" } },
    });
    await settle();
    const rows = screen.getAllByTestId("event-row");
    expect(rows).toHaveLength(before + 1);
    expect(rows[0]?.dataset["kind"]).toBe("miningPaused");
  });

  it("shows the four lights by word as well as by colour", async () => {
    await open("joining");
    const states = ["node", "chain", "members", "miners"].map(
      (name) => byId(`light-${name}`).dataset["state"],
    );
    expect(states).toEqual(["ok", "working", "ok", "off"]);
    expect(byId("light-chain").textContent).toContain(t("light.working"));
  });

  it("has a text for the chart and a table of the same data", async () => {
    await open("earning");
    const { series } = SCRIPTS.earning(NOW);
    expect(screen.getByRole("img", { name: /all miners: average 4\d\.\d.MH/ })).toBeTruthy();
    await press("chart-table");
    expect(screen.getAllByRole("row").length).toBeGreaterThan(series.points.length);
  });

  it("asks for another range of the chart", async () => {
    const { host } = await open("earning");
    await press("range-days7");
    expect(asked(host)).toEqual({ kind: "showRange", range: "days7" });
    expect(byId("range-days7").getAttribute("aria-pressed")).toBe("true");
  });
});

describe("the mining button", () => {
  it("starts, pauses, resumes", async () => {
    const { host } = await open("ready");
    expect(byId("start-button").dataset["armed"]).toBe("false");
    await press("start-button");
    expect(asked(host)).toEqual({ kind: "startMining" });
    expect(byId("status-pill").dataset["state"]).toBe("first_share");
    await press("pause-button");
    expect(byId("status-pill").dataset["state"]).toBe("paused");
    await press("resume-button");
    expect(absent("pause-button")).toBe(false);
  });

  it("arms when something is not ready, says what, and can be taken back", async () => {
    const { host, clock } = await open("setup");
    await press("practice-button");
    await press("start-button");
    expect(byId("start-button").dataset["armed"]).toBe("true");
    expect(byId("page-home").textContent).toContain(t("wait.shareChain"));
    expect(absent("cancel-start-button")).toBe(false);
    clock.now = NOW + 2;
    host.advance(NOW + 2, true);
    await settle();
    expect(byId("status-pill").dataset["state"]).toBe("first_share");
  });

  it("is taken back by Cancel", async () => {
    const { host } = await open("no_members");
    await press("cancel-start-button");
    expect(asked(host)).toEqual({ kind: "cancelStart" });
    expect(byId("start-button").dataset["armed"]).toBe("false");
  });
});

describe("practice", () => {
  it("is marked on the page and in the window's title, and can be left", async () => {
    const { host } = await open("earning");
    expect(document.title).toContain(t("practice.band"));
    await press("leave-practice");
    expect(asked(host)).toEqual({ kind: "leavePractice" });
    expect(byId("page-welcome")).toBeTruthy();
    expect(document.title).not.toContain(t("practice.band"));
  });

  it("leaves no trace on a live page", async () => {
    await open("live");
    expect(absent("practice-band")).toBe(true);
    expect(absent("leave-practice")).toBe(true);
  });
});

describe("waiting and silence", () => {
  it("shows bones until the first snapshot", async () => {
    await open("loading");
    expect(byId("loading")).toBeTruthy();
    expect(absent("page-home")).toBe(true);
  });

  it("greys stale data and says so", async () => {
    const { clock } = await open("stale");
    expect(absent("stale")).toBe(true);
    clock.now = NOW + STALE_SECS_MIN + 2;
    await settle();
    expect(text("stale")).toContain("12 s");
    expect(byId("page-home")).toBeTruthy();
  });

  it("goes on after a lost event", async () => {
    const { host } = await open("earning");
    host.loseOne();
    host.send({ section: "overall", value: { state: "between", lastLeftAt: null } });
    await settle();
    expect(host.subscriptions).toBe(2);
    expect(byId("status-pill").dataset["state"]).toBe("between");
  });
});

describe("the theme", () => {
  it("is chosen in the status bar and marks the document", async () => {
    const { host } = await open("earning");
    await fireEvent.change(byId("theme-select"), { target: { value: "light" } });
    await settle();
    expect(asked(host)).toEqual({ kind: "setTheme", theme: "light" });
    expect(document.documentElement.dataset["theme"]).toBe("light");
  });
});

describe("Leaving", () => {
  const close = { kind: "close", hasTray: true } as const;

  it("A40: asks before closing, keeps running, and remembers only when told to", async () => {
    const { host } = await open("earning");
    host.send({ section: "computer", value: { ...computer(), question: close } });
    await settle();
    await press("close-keep");
    expect(host.hides).toBe(1);
    expect(absent("close-dialog")).toBe(true);
    expect(host.requests.some((it) => JSON.stringify(it).includes("onClose"))).toBe(false);

    host.send({ section: "computer", value: { ...computer(), question: close } });
    await settle();
    await fireEvent.click(byId("close-remember"));
    await press("close-keep");
    const rule = { kind: "onClose", choice: "keepRunning" };
    expect(host.requests).toContainEqual({ kind: "computer", request: rule });
  });

  it("A40: without a tray says that closing minimises", async () => {
    const { host } = await open("earning");
    const question = { kind: "close", hasTray: false } as const;
    host.send({ section: "computer", value: { ...computer(), question } });
    await settle();
    expect(byId("close-no-tray").dataset["code"]).toBe("T-01");
    expect(text("close-no-tray")).toBe(t("problem.T-01"));
  });

  it("A40: says what quitting means, and quits only then", async () => {
    const { host } = await open("earning");
    await press("quit");
    expect(host.quits).toBe(0);
    expect(text("quit-dialog")).toContain("2 miners");
    await press("quit-no");
    expect(absent("quit-dialog")).toBe(true);
    await press("quit");
    await press("quit-yes");
    expect(host.quits).toBe(1);
  });

  it("goes to the page that a notification names", async () => {
    const { host } = await open("earning");
    host.send({ section: "computer", value: { ...computer(), invitedTo: "home" } });
    await settle();
    expect(asked(host)).toEqual({ kind: "showPage", page: "home" });
  });
});
