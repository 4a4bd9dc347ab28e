import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";
import App from "../../App.svelte";
import { FakeHost } from "../../ipc/fake";
import { settingsView } from "../../ipc/fake/pages/settings";
import type { SettingsView } from "../../ipc/generated/SettingsView";
import { AppStore } from "../../stores/app.svelte";
import { Clock } from "../../stores/clock.svelte";
import { PagesStore } from "../../stores/pages.svelte";
import { ThemeStore } from "../../stores/theme.svelte";

const NOW = 1_795_400_000;
const GOOD = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const byId = (id: string) => screen.getByTestId(id);
const text = (id: string) => byId(id).textContent?.replaceAll(/\s+/g, " ").trim();
const last = (host: FakeHost) => host.requests.at(-1);

async function settle() {
  for (let turn = 0; turn < 8; turn += 1) await tick();
}

async function press(id: string) {
  await fireEvent.click(byId(id));
  await settle();
}

async function change(id: string, value: string) {
  await fireEvent.change(byId(id), { target: { value } });
  await settle();
}

async function open(changes: Partial<SettingsView> = {}) {
  const host = new FakeHost("live", NOW);
  const clock = new Clock(NOW);
  const app = new AppStore(host, clock);
  const pages = new PagesStore(app);
  render(App, { props: { app, clock, pages, theme: new ThemeStore(window) } });
  void app.connect();
  await settle();
  await press("nav-settings");
  const view = { ...settingsView(NOW), ...changes };
  host.send({ section: "page", value: { page: "settings", view } });
  await settle();
  return host;
}

describe("Settings", () => {
  it("have every part that buttons of problems lead to", async () => {
    await open();
    const parts = ["mining", "node", "network", "door", "computer", "notifications", "appearance"];
    for (const part of [...parts, "data", "about"]) {
      expect(document.getElementById(part), part).not.toBeNull();
    }
  });

  it("give every plain setting a control with a label", async () => {
    await open();
    for (const { key } of settingsView(NOW).settings) {
      const control = byId(`setting-${key}`);
      expect(document.querySelector(`label[for="${control.id}"]`), key).not.toBeNull();
    }
  });

  it("are found by their words", async () => {
    await open();
    await fireEvent.input(byId("settings-search"), { target: { value: "socks5" } });
    await settle();
    const rows = [...document.querySelectorAll<HTMLElement>("[data-setting-row]:not([hidden])")];
    expect(rows).toHaveLength(1);
    expect(rows[0]?.contains(byId("setting-proxy"))).toBe(true);
  });

  it("change at once", async () => {
    const host = await open();
    await press("setting-lowBandwidth");
    const value = { kind: "switch", isOn: true };
    const request = { kind: "change", key: "lowBandwidth", value };
    expect(last(host)).toEqual({ kind: "settings", request });
    await change("setting-members", "one.example\n\n two.example ");
    const lines = { kind: "lines", lines: ["one.example", "two.example"] };
    expect(last(host)).toEqual({
      kind: "settings",
      request: { kind: "change", key: "members", value: lines },
    });
  });

  it("stay as they are when the change is refused, and say so", async () => {
    const host = await open();
    host.refuse = { code: "E-APP-07", values: { reason: "no such port" }, technical: "" };
    await change("setting-poolPort", "80");
    expect((byId("setting-poolPort") as HTMLInputElement).value).toBe("9333");
    expect(text("setting-refused")).toContain("Not changed");
    expect(text("error-card")).toContain("no such port");
  });

  it("never ask for a number out of range", async () => {
    const host = await open();
    const before = host.requests.length;
    await change("setting-donation", "6");
    expect(host.requests).toHaveLength(before);
    expect((byId("setting-donation") as HTMLInputElement).value).toBe("0");
  });

  it("go back to defaults by group", async () => {
    const host = await open();
    await press("restore-network");
    const request = { kind: "restoreDefaults", group: "network" };
    expect(last(host)).toEqual({ kind: "settings", request });
  });

  it("ask for a restart of mining only when one is needed", async () => {
    const host = await open({ needsRestart: true });
    expect(text("needs-restart")).toContain("Your shares stay valid");
    await press("restart-mining");
    expect(last(host)).toEqual({ kind: "settings", request: { kind: "restartMining" } });
    host.send({ section: "page", value: { page: "settings", view: settingsView(NOW) } });
    await settle();
    expect(screen.queryByTestId("needs-restart")).toBeNull();
  });
});

describe("The payout address", () => {
  it("is judged before it is used, and old shares keep theirs", async () => {
    const host = await open();
    await press("address-change");
    expect(text("address-until")).toMatch(/still pay the old address until .*2026/);
    expect((byId("address-use") as HTMLButtonElement).disabled).toBe(true);
    await fireEvent.input(byId("address-new"), { target: { value: GOOD } });
    await settle();
    await press("address-use");
    expect(last(host)).toEqual({ kind: "settings", request: { kind: "useAddress", text: GOOD } });
  });

  it("never takes a secret out of the field", async () => {
    const host = await open();
    await press("address-change");
    const before = host.requests.length;
    await fireEvent.input(byId("address-new"), { target: { value: "a".repeat(64) } });
    await settle();
    expect((byId("address-new") as HTMLInputElement).value).toBe("");
    expect(host.requests).toHaveLength(before);
    expect(text("address-new-verdict")).not.toBe("");
  });
});

describe("The share size", () => {
  it("tells the new average time before it is accepted", async () => {
    const host = await open();
    await press("size-worth");
    const choice = { kind: "worth", sats: 100_000 };
    expect(last(host)).toEqual({ kind: "settings", request: { kind: "weighShareSize", choice } });
    expect(text("size-outlook")).toContain("about 8 d 16 h");
    await press("size-use");
    expect(last(host)).toEqual({ kind: "settings", request: { kind: "useShareSize", choice } });
  });
});

describe("Files of settings", () => {
  it("are saved without a question", async () => {
    await open();
    await press("settings-export");
    expect(text("settings-exported")).toContain("p2pool-settings.toml");
  });

  it("show what they would change before anything does", async () => {
    const host = await open();
    const file = new File(["[run]\ndonation = 1\n"], "settings.toml");
    await fireEvent.change(byId("settings-import"), { target: { files: [file] } });
    await screen.findByTestId("import-review");
    expect(text("import-change")).toContain("run.donation");
    expect(host.requests.some((it) => it.kind === "settings" && it.request.kind === "import")).toBe(
      false,
    );
    await press("import-apply");
    const request = { kind: "import", text: "[run]\ndonation = 1\n" };
    expect(last(host)).toEqual({ kind: "settings", request });
  });
});

describe("The look and the computer", () => {
  it("are chosen here too", async () => {
    const host = await open();
    await change("setting-amounts", "sats");
    expect(last(host)).toMatchObject({ request: { kind: "look", appearance: { amounts: "sats" } } });
    await change("setting-theme", "light");
    expect(last(host)).toEqual({ kind: "setTheme", theme: "light" });
    await press("notify-share");
    const request = { kind: "notify", event: "share", isOn: true };
    expect(last(host)).toEqual({ kind: "computer", request });
    await press("setting-login");
    expect(last(host)).toEqual({ kind: "computer", request: { kind: "startAtLogin", isOn: true } });
  });
});
