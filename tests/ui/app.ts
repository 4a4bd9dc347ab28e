import { expect, type Page, test as base } from "@playwright/test";
import axe from "axe-core";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "./server";

const SHOTS = fileURLToPath(new URL("../artifacts/ui/pages", import.meta.url));

/** The window in a browser, over the scripted application. */
export class App {
  readonly page: Page;
  /** What the page complained about. */
  readonly complaints: string[] = [];
  /** Addresses asked for that are not the application's own. */
  readonly foreign: string[] = [];
  readonly #origin: string;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      const isServed = message.location().url.startsWith(origin);
      if (message.type() === "error" && isServed) this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) this.foreign.push(url);
    });
  }

  /** Opens the window in a state of the scripted application whose world stands still. */
  async open(script: string): Promise<void> {
    await this.page.goto(`${this.#origin}/?fake=${script}&still`);
    await expect(this.page.locator("main")).toBeVisible();
    await this.page.evaluate(() => document.fonts.ready);
  }

  /** Test ids of the pages that the side bar lists. */
  async pages(): Promise<string[]> {
    const buttons = this.page.locator("nav [data-testid^='nav-']");
    const ids = await buttons.evaluateAll((all) => all.map((one) => one.getAttribute("data-testid")));
    return ids.filter((id) => id !== null);
  }

  /** Every look of the shown page: itself, and each of its tabs. */
  async eachTab(look: (name: string) => Promise<void>): Promise<void> {
    const tabs = this.page.locator("main [role=tab]:visible");
    const count = await tabs.count();
    if (count === 0) return look("");
    for (let index = 0; index < count; index += 1) {
      const tab = tabs.nth(index);
      const name = (await tab.getAttribute("data-testid")) ?? `tab-${index}`;
      await tab.click();
      await look(name);
    }
  }

  /** Keeps a picture of the window. */
  async shoot(name: string): Promise<void> {
    mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  /** What the accessibility checker calls serious or critical. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const violations = await this.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: typeof import("axe-core") };
      return (await axe.run()).violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.map(({ html }) => html),
      }));
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((html) => `${id}: ${html.slice(0, 160)}`));
  }

  /** Elements whose text is cut off, and whether the page can be scrolled sideways. */
  async clipped(): Promise<string[]> {
    return this.page.evaluate(() => {
      const found: string[] = [];
      const main = document.querySelector("main");
      if (main !== null && main.scrollWidth > main.clientWidth + 1) found.push("main scrolls sideways");
      for (const element of document.querySelectorAll<HTMLElement>("button, h1, h2, h3, td, th, p, label, dt, dd")) {
        const style = getComputedStyle(element);
        const isHidden = element.closest(".visually-hidden") !== null || element.offsetParent === null;
        // What ends in an ellipsis says so, and has its whole text elsewhere.
        if (isHidden || style.overflowX === "visible" || style.textOverflow === "ellipsis") continue;
        if (style.overflowX === "auto" || style.overflowX === "scroll") continue;
        if (element.scrollWidth > element.clientWidth + 1) found.push(element.outerHTML.slice(0, 160));
      }
      return found;
    });
  }
}

/** A test with the window; it fails if the page complained or asked somebody else for something. */
export const test = base.extend<{ app: App }, { origin: string }>({
  origin: [
    async ({}, use) => {
      const { server, origin } = await serve();
      await use(origin);
      server.closeAllConnections();
      server.close();
    },
    { scope: "worker" },
  ],
  app: async ({ page, origin }, use) => {
    const app = new App(page, origin);
    await use(app);
    expect(app.complaints, "complaints of the page").toEqual([]);
    expect(app.foreign, "requests to others").toEqual([]);
  },
});

export { expect };
