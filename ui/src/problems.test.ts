import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import App from "./App.svelte";
import { problemMessage, solvedMessage } from "./format/problem";
import { FakeHost } from "./ipc/fake";
import { problem } from "./ipc/fake/fixtures";
import type { ScriptName } from "./ipc/fake/scripts";
import { CATALOGUE } from "./ipc/generated/catalogue";
import type { ProblemCode } from "./ipc/generated/ProblemCode";
import { AppStore } from "./stores/app.svelte";
import { Clock } from "./stores/clock.svelte";
import { SOLVED_SECS } from "./stores/deeds.svelte";
import { PagesStore } from "./stores/pages.svelte";
import { ThemeStore } from "./stores/theme.svelte";
import { t } from "./text";

const NOW = 1_795_400_000;
/** The window raises W-01 by itself, and only then it can be mended. */
const CODES = (Object.keys(CATALOGUE) as ProblemCode[]).filter((code) => code !== "W-01");
const BUTTONS = CODES.flatMap((code) =>
  CATALOGUE[code].actions.map((action) => ({ code, action })),
);

const byId = (id: string) => screen.getByTestId(id);
const absent = (id: string) => screen.queryByTestId(id) === null;
let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.stubGlobal("navigator", {
    ...navigator,
    language: "en-US",
    clipboard: { writeText: (text: string) => Promise.resolve(void written.push(text)) },
  });
});
afterEach(() => vi.unstubAllGlobals());

async function open(script: ScriptName) {
  const host = new FakeHost(script, NOW);
  const clock = new Clock(NOW);
  const app = new AppStore(host, clock);
  const pages = new PagesStore(app);
  render(App, { props: { app, clock, pages, theme: new ThemeStore(window) } });
  void app.connect();
  await settle();
  return { host, clock, app, pages };
}

async function settle() {
  for (let turn = 0; turn < 6; turn += 1) await tick();
}

async function press(id: string) {
  await fireEvent.click(byId(id));
  await settle();
}

/** What a person can tell apart after pressing a button. */
const traces = (host: FakeHost, pages: PagesStore) =>
  JSON.stringify([
    host.requests,
    host.quits,
    pages.shown,
    pages.part,
    absent("help-panel"),
    absent("leave-window"),
    absent("problem-technical"),
    written,
  ]);

describe("every code of the catalogue", () => {
  it.each(CODES)("%s stands there with its message and its buttons", async (code) => {
    await open(code);
    const card = byId("error-card");
    const { actions, values } = problem(NOW, code);
    expect(card.dataset["code"]).toBe(code);
    expect(card.textContent).toContain(problemMessage(code, values, false));
    expect(problemMessage(code, values, false)).not.toContain("{");
    for (const action of actions) {
      expect(byId(`problem-${action}`).textContent?.trim()).toBe(t(`action.${action}`));
    }
  });

  it.each(CODES)("%s names every value that it is given an example of", (code) => {
    const { values } = CATALOGUE[code];
    for (const name of Object.keys(values)) {
      const sentence = (value: string) => problemMessage(code, { ...values, [name]: value }, false);
      expect(sentence("7"), `${code} ${name}`).not.toBe(sentence("8"));
    }
  });

  it.each(BUTTONS)("$code: $action has an effect", async ({ code, action }) => {
    const { host, pages } = await open(code);
    const before = traces(host, pages);
    await press(`problem-${action}`);
    expect(traces(host, pages)).not.toBe(before);
  });
});

describe("a problem card", () => {
  it("stands alone; the others are in Check-up", async () => {
    const { pages } = await open("degraded");
    expect(screen.getAllByTestId("error-card")).toHaveLength(1);
    expect(byId("problems-more").textContent?.trim()).toBe("+1 more in Check-up");
    await press("problems-more");
    expect(pages.shown).toBe("checkUp");
    expect(screen.getAllByTestId("error-card")).toHaveLength(2);
    expect(absent("problems-more")).toBe(true);
  });

  it("keeps the code and the technical text in its details", async () => {
    await open("S-01");
    expect(absent("problem-technical")).toBe(true);
    await press("problem-toggle");
    expect(byId("problem-technical").textContent).toContain("S-01 · bind");
    await press("problem-toggle");
    expect(absent("problem-technical")).toBe(true);
  });

  it("turns into one line of success for five seconds", async () => {
    const { host, clock } = await open("P-01");
    host.send({ section: "problems", value: [] });
    await settle();
    expect(absent("error-card")).toBe(true);
    expect(byId("problem-solved").textContent).toContain(solvedMessage("P-01", {}));
    clock.now += SOLVED_SECS;
    await settle();
    expect(absent("problem-solved")).toBe(true);
  });

  it("is no success when it was hidden, or left behind with practice", async () => {
    const first = await open("E-CPU-01");
    await press("problem-dismiss");
    expect(asked(first.host)).toMatchObject({ kind: "dismissProblem" });
    expect(absent("problem-solved")).toBe(true);
  });

  it("opens help inside the window, with lines to copy", async () => {
    await open("N-04");
    await press("problem-showNeededLine");
    const help = byId("help-panel").textContent ?? "";
    expect(help).toContain("rpcallowip=192.168.1.20/32");
    expect(help).toContain(t("help.scam"));
    await press("help-close");
    expect(absent("help-panel")).toBe(true);
  });

  it("asks before it leaves the window, and shows the address", async () => {
    const { host } = await open("N-11");
    await press("problem-openDownloadPage");
    expect(byId("leave-window").textContent).toContain("https://bitcoincore.org/en/download/");
    expect(host.requests).toEqual([]);
    await press("leave-window-yes");
    expect(asked(host)).toEqual({ kind: "openOutside", place: "bitcoinCoreDownloads" });
  });

  it("explains the steps where the system has no window for them", async () => {
    const { host } = await open("P-11");
    host.refuse = { code: "E-APP-00", values: {}, technical: "no settings" };
    await press("problem-openTimeSettings");
    await press("leave-window-yes");
    expect(byId("help-panel").textContent).toContain(t("help.P-11.title"));
  });

  it("puts lines on the clipboard and takes secrets off it", async () => {
    await open("C-01");
    await press("problem-copyLines");
    expect(written).toEqual(["server=1"]);
    expect(byId("error-card").textContent).toContain(t("problem.copied"));
  });

  it("shows a lost engine even before the first snapshot", async () => {
    const { host } = await open("W-01");
    expect(byId("error-card").dataset["code"]).toBe("W-01");
    expect(absent("loading")).toBe(true);
    await press("problem-reload");
    expect(host.subscriptions).toBe(2);
  });
});

const asked = (host: FakeHost) => host.requests.at(-1);
