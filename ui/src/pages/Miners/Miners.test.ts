import { cleanup, fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, it } from "vitest";
import { FakeHost } from "../../ipc/fake";
import { connect, emptyMiners, FOUND, minersView, plan } from "../../ipc/fake/pages/miners";
import { SCRIPTS } from "../../ipc/fake/scripts";
import type { AppRequest } from "../../ipc/generated/AppRequest";
import type { DeviceChange } from "../../ipc/generated/DeviceChange";
import type { MinersRequest } from "../../ipc/generated/MinersRequest";
import type { MinersView } from "../../ipc/generated/MinersView";
import Miners from "./Miners.svelte";

const NOW = 1_795_400_000;
afterEach(cleanup);

/** The page showing this; returns what it asks for. */
function open(view: MinersView | null): MinersRequest[] {
  const asked: MinersRequest[] = [];
  const ask = (request: AppRequest) => {
    if (request.kind === "miners") asked.push(request.request);
    return Promise.resolve(null);
  };
  const page = view === null ? ({ page: "none" } as const) : ({ page: "miners", view } as const);
  render(Miners, {
    props: {
      view: { ...SCRIPTS.earning(NOW), page },
      now: NOW,
      look: "dark",
      ask,
      act: () => {},
      show: () => {},
    },
  });
  return asked;
}

describe("the page of miners", () => {
  it("says that it loads before there is anything to show", () => {
    open(null);
    expect(screen.getByTestId("page-miners")).toBeTruthy();
    expect(screen.queryByTestId("miner-row")).toBeNull();
  });

  it("lists miners with their states, and more columns on demand", async () => {
    open(minersView(NOW));
    const rows = screen.getAllByTestId("miner-row");
    expect(rows.map((row) => row.dataset["name"])).toEqual(["bitaxe", "nano3s", "s9-cellar"]);
    expect(rows[2]?.textContent).toContain("12 % late");
    expect(screen.queryByTestId("sort-ip")).toBeNull();
    await fireEvent.click(screen.getByTestId("technical"));
    expect(screen.getByTestId("sort-ip")).toBeTruthy();
    await fireEvent.click(screen.getByTestId("sort-hashrate"));
    expect(screen.getAllByTestId("miner-row")[0]?.dataset["name"]).toBe("s9-cellar");
  });

  it("shows where to point a miner while there is none", () => {
    open(emptyMiners(NOW));
    expect(screen.getByTestId("miners-empty")).toBeTruthy();
    expect(screen.getByTestId("miner-url").textContent).toContain("192.168.1.20:9332");
    expect(screen.getByTestId("phone-test").dataset["ok"]).toBe("false");
    expect(document.body.textContent).not.toContain("localhost");
  });

  it("looks for miners on the click only, and offers what can be done with each", async () => {
    const asked = open({
      ...emptyMiners(NOW),
      connect: connect({ found: FOUND }),
    });
    expect(asked).toEqual([]);
    await fireEvent.click(screen.getByTestId("look"));
    expect(asked).toEqual([{ kind: "look", range: "" }]);
    const [bitaxe, avalon] = screen.getAllByTestId("found-device");
    expect(bitaxe?.textContent).toContain("solo.ckpool.org");
    expect(avalon?.dataset["offer"]).toBe("needsLogin");
    await fireEvent.click(within(bitaxe as HTMLElement).getByTestId("use-here"));
    expect(asked.at(-1)).toMatchObject({ kind: "plan", device: FOUND[0]?.id, keepsOld: true });
  });

  it("shows a plan with old and new values before anything is sent", async () => {
    const asked = open({ ...emptyMiners(NOW), connect: connect({ plan: plan(true) }) });
    const rows = screen.getAllByTestId("plan-row");
    expect(rows[0]?.textContent).toContain("solo.ckpool.org:3333");
    expect(rows[0]?.textContent).toContain("192.168.1.20:9332");
    await fireEvent.click(screen.getByTestId("plan-apply"));
    expect(asked).toEqual([{ kind: "apply", code: null, user: null, password: null }]);
  });

  it("tells a failed change with the buttons that help", async () => {
    const change: DeviceChange = {
      isUndo: false,
      step: "restarting",
      problem: {
        code: "D-03",
        values: { name: "bitaxe" },
        technical: "the device did not come back",
        actions: ["waitLonger", "putBack"],
      },
    };
    const found = FOUND.slice(0, 1).map((device) => ({ ...device, change }));
    const asked = open({ ...emptyMiners(NOW), connect: connect({ found }) });
    expect(screen.getByTestId("device-problem").dataset["code"]).toBe("D-03");
    await fireEvent.click(screen.getByTestId("device-putBack"));
    expect(asked).toEqual([{ kind: "putBack", device: FOUND[0]?.id }]);
  });

  it("offers to update miners after the address changed", async () => {
    const asked = open(
      minersView(NOW, { addressChange: { new: "192.168.1.30", devices: 2, isRunning: false } }),
    );
    expect(screen.getByTestId("address-change").textContent).toContain("192.168.1.30");
    await fireEvent.click(screen.getByTestId("update-miners"));
    expect(asked).toEqual([{ kind: "updateMiners" }]);
  });

  it("shows the CPU miner's average time before it is switched on", async () => {
    const asked = open(minersView(NOW));
    expect(screen.getByTestId("cpu-estimate").textContent).toContain("19 years");
    await fireEvent.click(screen.getByTestId("cpu-switch"));
    expect(asked[0]).toMatchObject({ kind: "setCpu", wish: { isOn: true, stopSoon: true } });
  });
});

describe("the fake host", () => {
  it("plays the page of miners", async () => {
    const fake = new FakeHost("earning", NOW);
    let shown = "";
    await fake.subscribe((event) => {
      if (event.change.section === "page") shown = event.change.value.page;
    });
    await fake.request({ kind: "showPage", page: "miners" });
    expect(shown).toBe("miners");
  });
});
