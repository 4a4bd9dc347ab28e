import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterEach, describe, expect, it } from "vitest";
import App from "../../App.svelte";
import { amount, shownUnit } from "../../format/shown_amount.svelte";
import { FakeHost } from "../../ipc/fake";
import { calculation, nothingReceived } from "../../ipc/fake/pages/payouts";
import { AppStore } from "../../stores/app.svelte";
import { Clock } from "../../stores/clock.svelte";
import { PagesStore } from "../../stores/pages.svelte";
import { ThemeStore } from "../../stores/theme.svelte";
import { t } from "../../text";

const NOW = 1_795_400_000;
const byId = (id: string) => screen.getByTestId(id);
const rows = () => screen.getAllByTestId("payout-row");

async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await tick();
}

async function press(id: string): Promise<void> {
  await fireEvent.click(byId(id));
  await settle();
}

async function open(): Promise<FakeHost> {
  const host = new FakeHost("live", NOW);
  const clock = new Clock(NOW);
  const app = new AppStore(host, clock);
  render(App, { app, clock, pages: new PagesStore(app), theme: new ThemeStore(window) });
  await app.connect();
  await settle();
  await press("nav-payouts");
  return host;
}

afterEach(() => {
  cleanup();
  shownUnit.unit = "btc";
});

describe("received", () => {
  it("acceptance 28: shows a payment maturing with the time left, and its transaction", async () => {
    const host = await open();
    expect(rows()[0]?.textContent).toContain("maturing 41/100, about 9 h 50 min left");
    await fireEvent.click(rows()[0]?.querySelector("button") as HTMLElement);
    expect(byId("payout-transaction").textContent).toContain(t("payouts.transaction"));
    await press("payout-explore");
    expect(byId("explore-dialog").textContent).toContain("https://mempool.space/tx/4a4a");
    expect(host.requests.some(({ kind }) => kind === "openOutside")).toBe(false);
    await press("explore-open");
    expect(host.requests.at(-1)).toEqual({
      kind: "openOutside",
      place: { transaction: { txid: "4a".repeat(32) } },
    });
  });

  it("acceptance 29: says why a block did not pay me", async () => {
    await open();
    const row = rows().find((entry) => entry.dataset["height"] === "947377");
    expect(row?.textContent).toContain(t("payouts.none"));
    await fireEvent.click(screen.getAllByTestId("payout-why")[0] as HTMLElement);
    expect(byId("payout-reason").textContent).toContain("had left the window");
  });

  it("acceptance 30: shows a lost block as one", async () => {
    await open();
    const lost = rows().find((entry) => entry.dataset["state"] === "lost");
    expect(lost?.textContent).toContain(t("payouts.lost"));
  });

  it("sums by month and of all time, and exports", async () => {
    const host = await open();
    const total = Number(byId("received-total").dataset["sats"]);
    expect(byId("received-total").textContent).toContain(amount(total));
    expect(screen.getAllByTestId("bar-received")).toHaveLength(2);
    await press("payouts-export");
    expect(byId("payouts-saved").textContent).toContain("p2pool-payments.csv");
    expect(host.requests.at(-1)).toEqual({ kind: "payouts", request: { kind: "export" } });
  });

  it("acceptance 60: switches every amount to satoshis without reload", async () => {
    await open();
    const before = byId("page-payouts").textContent ?? "";
    expect(before).toContain("BTC");
    shownUnit.unit = "sats";
    await settle();
    const after = byId("page-payouts").textContent ?? "";
    expect(after).toContain("sats");
    expect(after).not.toContain("BTC");
  });

  it("names the pool's last block while nothing was received", async () => {
    const host = await open();
    host.send({ section: "page", value: { page: "payouts", view: nothingReceived(NOW) } });
    await settle();
    expect(byId("received-empty").textContent).toContain("The pool's last block was on");
    expect(byId("received-empty").textContent).toContain("11 months");
  });

  it("loads, fails and is read again", async () => {
    const host = await open();
    const show = async (view: Parameters<typeof host.send>[0]) => {
      host.send(view);
      await settle();
    };
    await show({
      section: "page",
      value: { page: "payouts", view: { kind: "loading", value: "received" } },
    });
    expect(byId("payouts-loading")).toBeTruthy();
    const error = { code: "E-APP-00", values: {}, technical: "disk" } as const;
    await show({
      section: "page",
      value: { page: "payouts", view: { kind: "failed", value: { tab: "received", error } } },
    });
    expect(byId("payouts-failed").dataset["code"]).toBe("E-APP-00");
    await press("payouts-again");
    expect(rows().length).toBeGreaterThan(0);
  });
});

describe("my shares", () => {
  it("tells each share's fate in words, and the block that paid it", async () => {
    await open();
    await press("payouts-tab-shares");
    const text = screen.getAllByTestId("share-row").map((row) => row.textContent ?? "");
    expect(text[1]).toContain("in the window until");
    expect(text[1]).toContain("975,031");
    expect(text[2]).toContain(t("shares.leftWindow"));
    expect(text[3]).toContain(t("shares.lostRace"));
    expect(text[6]).toContain("and 1 more");
    expect(byId("shares-why").textContent).toContain("3 d");
  });

  it("is read page by page", async () => {
    const host = await open();
    await press("payouts-tab-shares");
    await press("pager-earlier");
    expect(host.requests.at(-1)).toEqual({
      kind: "payouts",
      request: { kind: "showTab", tab: "shares", page: 1 },
    });
  });
});

describe("the calculator", () => {
  it("begins with my own rate and follows the slider", async () => {
    await open();
    await press("payouts-tab-calculator");
    expect(byId("calculator-hashrate").textContent).toContain("1.21");
    const mine = calculation(1.21e12).perBlockSats;
    expect(byId("calculator-per-block").dataset["sats"]).toBe(String(mine));
    await fireEvent.input(byId("calculator-slider"), { target: { value: "14" } });
    await settle();
    expect(byId("calculator-hashrate").textContent?.replace("\u00a0", " ")).toBe("100 TH/s");
    const farm = calculation(1e14).perBlockSats;
    expect(byId("calculator-per-block").dataset["sats"]).toBe(String(farm));
    expect(byId("calculator-solo").textContent).toContain("over 100 years");
  });
});

describe("expected and found", () => {
  it("draws months with enough shares and judges them", async () => {
    await open();
    await press("payouts-tab-expected");
    expect(screen.getAllByTestId("bar-found")).toHaveLength(4);
    const verdicts = screen.getAllByTestId("expected-row").map((row) => row.dataset["verdict"]);
    expect(verdicts).toEqual(["tooEarly", "normal", "few", "many", "normal"]);
  });
});
