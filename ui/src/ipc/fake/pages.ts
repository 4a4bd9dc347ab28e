import type { Page } from "../generated/Page";
import type { PageView } from "../generated/PageView";

/** What a page shows, typically. */
export function pageView(page: Page): PageView {
  switch (page) {
    default:
      return { page: "none" };
  }
}
