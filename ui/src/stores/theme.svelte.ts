import { shownUnit } from "../format/shown_amount.svelte";
import type { Appearance } from "../ipc/generated/Appearance";
import type { Theme } from "../ipc/generated/Theme";

/** A look that is drawn; the theme *System* resolves to one of them. */
export type Look = "dark" | "light";

/** Follows the chosen theme and the system's, and marks the document with the result. */
export class ThemeStore {
  look: Look = $state("dark");
  #theme: Theme = "system";
  #system: MediaQueryList;

  constructor(window: Window) {
    this.#system = window.matchMedia("(prefers-color-scheme: light)");
    this.#system.addEventListener("change", () => this.#resolve());
    this.#resolve();
  }

  choose(theme: Theme, appearance: Appearance): void {
    this.#theme = theme;
    const root = document.documentElement;
    root.style.fontSize = `${appearance.textPercent}%`;
    root.dataset["motion"] = appearance.motion;
    shownUnit.unit = appearance.amounts;
    this.#resolve();
  }

  #resolve(): void {
    const ofSystem: Look = this.#system.matches ? "light" : "dark";
    this.look = this.#theme === "system" ? ofSystem : this.#theme;
    document.documentElement.dataset["theme"] = this.look;
  }
}
