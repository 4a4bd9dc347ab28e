import type { Page } from "../ipc/generated/Page";
import type { AppStore } from "./app.svelte";

/** Which page is looked at. The application is told, because it fills that page alone. */
export class PagesStore {
  shown: Page = $state("home");

  #app: AppStore;

  constructor(app: AppStore) {
    this.#app = app;
  }

  /** Looks at a page. */
  show(page: Page): void {
    this.shown = page;
    void this.#app.request({ kind: "showPage", page });
  }
}
