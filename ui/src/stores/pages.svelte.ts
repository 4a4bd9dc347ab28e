import type { Page } from "../ipc/generated/Page";
import type { AppStore } from "./app.svelte";

/** Which page is looked at. The application is told, because it fills that page alone. */
export class PagesStore {
  shown: Page = $state("home");
  /** The part of the page that was asked for: the `id` of an element. */
  part: string | null = $state(null);

  #app: AppStore;

  constructor(app: AppStore) {
    this.#app = app;
  }

  /** Looks at a page, or at a part of it. */
  show(page: Page, part?: string): void {
    this.shown = page;
    this.part = part ?? null;
    void this.#app.request({ kind: "showPage", page });
  }
}
