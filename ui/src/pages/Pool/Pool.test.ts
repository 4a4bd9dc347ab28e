import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";
import App from "../../App.svelte";
import { FakeHost } from "../../ipc/fake";
import { cells, emptyPool, FULL_WINDOW, poolView } from "../../ipc/fake/pages/pool";
import type { PoolView } from "../../ipc/generated/PoolView";
import { AppStore } from "../../stores/app.svelte";
import { Clock } from "../../stores/clock.svelte";
import { PagesStore } from "../../stores/pages.svelte";
import { ThemeStore } from "../../stores/theme.svelte";
import { cellAt, draw, layout, moved, nextMine, type Palette } from "./grid";
import { HUES, hueOf } from "./hue";
import { renewed, unpacked } from "./window.svelte";

const NOW = 1_795_400_000;
const byId = (id: string) => screen.getByTestId(id);
const text = (id: string) => byId(id).textContent?.replaceAll(/\s+/g, " ").trim();

async function settle() {
  for (let turn = 0; turn < 8; turn += 1) await tick();
}

async function press(id: string) {
  await fireEvent.click(byId(id));
  await settle();
}

async function open(view?: PoolView) {
  const host = new FakeHost("live", NOW);
  const clock = new Clock(NOW);
  const app = new AppStore(host, clock);
  const pages = new PagesStore(app);
  render(App, { props: { app, clock, pages, theme: new ThemeStore(window) } });
  void app.connect();
  await settle();
  await press("nav-pool");
  if (view) host.send({ section: "page", value: { page: "pool", view } });
  await settle();
  return { host, pages, app };
}

const asked = (host: FakeHost) => host.requests.flatMap((r) => (r.kind === "pool" ? [r.request] : []));

describe("A34 share grid and table", () => {
  it("have the same shares: all 8,640", async () => {
    await open();
    expect(byId("share-grid").dataset["count"]).toBe(String(FULL_WINDOW));
    await press("pool-view-table");
    const table = byId("share-table");
    expect(table.dataset["count"]).toBe(String(FULL_WINDOW));
    expect(table.getAttribute("aria-rowcount")).toBe(String(FULL_WINDOW + 1));
    expect(table.querySelectorAll("tbody tr").length).toBeLessThan(200);
  });

  it("fetch all once, and then only what is newer", async () => {
    const { host } = await open();
    expect(asked(host)).toEqual([{ kind: "window", since: null }]);
    const view = poolView(NOW);
    const chain = { ...view.chain, newest: "ffffffffffffffff" };
    host.send({ section: "page", value: { page: "pool", view: { ...view, chain } } });
    await settle();
    const since = cells(NOW, 1).ids;
    expect(asked(host).at(-1)).toEqual({ kind: "window", since });
    expect(byId("share-grid").dataset["count"]).toBe(String(FULL_WINDOW));
  });

  it("open details by arrow keys and Enter", async () => {
    const { host } = await open();
    await fireEvent.keyDown(byId("share-grid"), { key: "ArrowRight" });
    await fireEvent.keyDown(byId("share-grid"), { key: "ArrowRight" });
    await settle();
    expect(text("grid-chosen")).toContain("2 of 8,640");
    await fireEvent.keyDown(byId("share-grid"), { key: "Enter" });
    await settle();
    const share = cells(NOW, 2).ids.slice(16);
    expect(asked(host).at(-1)).toEqual({ kind: "details", share });
    expect(text("share-details")).toContain("203.0.113.5:9333");
    expect(text("share-details")).toContain("35, wants 35");
    await press("share-details-close");
    expect(screen.queryByTestId("share-details")).toBeNull();
  });

  it("jump from one share of mine to the next", async () => {
    await open();
    await press("grid-older-mine");
    expect(text("grid-chosen")).toContain("You");
    const first = text("grid-chosen");
    await press("grid-older-mine");
    expect(text("grid-chosen")).not.toBe(first);
    await press("grid-newer-mine");
    expect(text("grid-chosen")).toBe(first);
  });
});

describe("other views of the chain", () => {
  it("show who is in the window, mine marked", async () => {
    await open();
    await press("pool-view-share");
    expect(screen.getAllByTestId("window-share-row").length).toBeGreaterThan(1);
  });

  it("show the tree with late shares in lanes of their own", async () => {
    const { host } = await open();
    await press("pool-view-tree");
    expect(asked(host).at(-1)).toEqual({ kind: "tree" });
    const tree = byId("share-tree");
    expect(tree.querySelectorAll("li").length).toBe(Number(tree.dataset["count"]));
    expect(tree.querySelectorAll('li[data-state="late"]').length).toBe(4);
  });

  it("say so while there is no share, or joining goes on", async () => {
    const view = emptyPool();
    await open({ ...view, chain: { ...view.chain, joining: { done: 4_210, total: 8_640 } } });
    expect(byId("pool-chain-empty")).toBeTruthy();
    expect(text("pool-joining")).toBe("4,210 of 8,640 shares checked");
  });
});

describe("Blocks", () => {
  it("tell the round in progress and the luck of those before", async () => {
    await open();
    await press("pool-tab-blocks");
    expect(text("pool-round")).toContain("day 42");
    expect(text("pool-round")).toContain("effort 12 % of an average round");
    const rows = screen.getAllByTestId("pool-block-row");
    expect(rows).toHaveLength(7);
    expect(rows[0]?.textContent).toContain("160\u00a0%");
    expect(byId("round-strip").querySelectorAll("li")).toHaveLength(6);
  });

  it("are rare, and an empty list says so", async () => {
    await open(emptyPool());
    await press("pool-tab-blocks");
    expect(byId("pool-blocks-empty")).toBeTruthy();
  });
});

describe("Members", () => {
  it("can be added, banned and let in again", async () => {
    const { host } = await open();
    await press("pool-tab-members");
    expect(screen.getAllByTestId("pool-member-row")).toHaveLength(4);
    expect(text("members-count")).toBe("4 connected, 2 incoming");
    await fireEvent.click(screen.getAllByTestId("member-ban")[0] as HTMLElement);
    expect(asked(host).at(-1)).toEqual({ kind: "ban", host: "203.0.113.5" });
    await press("ban-lift");
    expect(asked(host).at(-1)).toEqual({ kind: "unban", host: "192.0.2.99" });
    await fireEvent.input(byId("add-member-input"), { target: { value: " friend.example " } });
    await press("add-member");
    expect(asked(host).at(-1)).toEqual({ kind: "addMember", place: "friend.example" });
    expect(text("add-member-done")).toContain("friend.example");
  });

  it("are searched again at once, and forgotten only after a question", async () => {
    const { host } = await open(emptyPool());
    await press("pool-tab-members");
    expect(byId("members-empty")).toBeTruthy();
    await press("search-now");
    expect(asked(host).at(-1)).toEqual({ kind: "searchNow" });
    await press("reset-members");
    expect(asked(host).at(-1)).toEqual({ kind: "searchNow" });
    await press("reset-confirm");
    expect(asked(host).at(-1)).toEqual({ kind: "resetMembers" });
  });

  it("are where the buttons of a problem lead", async () => {
    const { pages } = await open();
    pages.show("pool", "members");
    await settle();
    expect(document.getElementById("members")).not.toBeNull();
  });

  it("tell which share version the pool supports, and when an update is due", async () => {
    const { host } = await open();
    await press("pool-tab-members");
    expect(text("version-support")).toBe("97 % of the pool supports version 35");
    const support = { version: 37, part: 0.6, advice: { kind: "updateNow", version: 37 } } as const;
    host.send({ section: "page", value: { page: "pool", view: { ...poolView(NOW), support } } });
    await settle();
    expect(text("version-advice")).toContain("Update to keep earning");
  });
});

describe("the grid's geometry", () => {
  const grid = layout(105, 10, 25);

  it("fills rows of whole cells", () => {
    expect(grid).toEqual({ columns: 10, rows: 3, size: 10 });
    expect(layout(0, 10, 5).columns).toBe(1);
  });

  it("finds the cell under a point, and none beside", () => {
    expect(cellAt(grid, 15, 25, 25)).toBe(21);
    expect(cellAt(grid, 103, 5, 25)).toBeNull();
    expect(cellAt(grid, 55, 25, 25)).toBeNull();
  });

  it("moves by keys and stays inside", () => {
    expect(moved(grid, 3, "ArrowDown", 25)).toBe(13);
    expect(moved(grid, 3, "ArrowUp", 25)).toBe(0);
    expect(moved(grid, 3, "End", 25)).toBe(24);
    expect(moved(grid, 3, "a", 25)).toBeNull();
  });

  it("gives an address the same colour always", () => {
    const hues = new Set(Array.from({ length: 500 }, (_, at) => hueOf(`bc1qmember${at}`)));
    expect(hues.size).toBeGreaterThan(HUES * 0.9);
    expect(hueOf("bc1qmember1")).toBe(hueOf("bc1qmember1"));
  });

  it("draws what is seen and nothing else", () => {
    const shares = unpacked(cells(NOW, FULL_WINDOW));
    let squares = 0;
    const pen = new Proxy({} as CanvasRenderingContext2D, {
      get: (_pen, name) => () => (name === "fillRect" ? (squares += 1) : undefined),
      set: () => true,
    });
    const colours: Palette = { hues: [], mine: "", line: "", ground: "" };
    const wide = layout(1_000, 10, shares.length);
    draw(pen, shares, wide, { top: 0, width: 1_000, height: 100 }, colours, null);
    expect(squares).toBeGreaterThanOrEqual(1_000);
    expect(squares).toBeLessThan(1_100);
  });
});

describe("shares on the way", () => {
  it("are put before those known, and the oldest leave", () => {
    const before = unpacked(cells(NOW, 10));
    const newer = { ...cells(NOW + 60, 2, 2, false), total: 10 };
    const after = renewed(before, newer);
    expect(after).toHaveLength(10);
    expect(after.slice(2)).toEqual(before.slice(0, 8));
    expect(renewed(before, cells(NOW, 4))).toHaveLength(4);
  });

  it("of mine are found in both directions", () => {
    const shares = unpacked(cells(NOW, 2_000));
    const first = nextMine(shares, -1, 1);
    expect(first).not.toBeNull();
    const second = nextMine(shares, first ?? 0, 1);
    expect(nextMine(shares, second ?? 0, -1)).toBe(first);
    expect(nextMine(shares, first ?? 0, -1)).toBeNull();
  });
});
