import { effectOf } from "../format/effect";
import type { Place } from "../format/effect";
import type { Problem } from "../ipc/generated/Problem";
import type { ProblemAction } from "../ipc/generated/ProblemAction";
import type { HelpTopic } from "../text/help";
import type { AppStore } from "./app.svelte";
import type { PagesStore } from "./pages.svelte";

/** Time for which a solved problem is told, in seconds. */
export const SOLVED_SECS = 5;

/** A problem that is over. */
export interface Solved {
  code: Problem["code"];
  values: Problem["values"];
  at: number;
}

/** Something that is opened outside the window once the person agrees. */
export interface Leaving {
  place: Place;
  /** What helps where it cannot be opened. */
  topic: HelpTopic | null;
}

/** What the buttons of problem cards do, and which problems are over. */
export class Deeds {
  /** The help panel that is open. */
  help: { topic: HelpTopic; values: Problem["values"] } | null = $state.raw(null);
  /** What is about to be opened outside the window. */
  leaving: Leaving | null = $state.raw(null);
  /** Problems whose technical text is open, by their ids. */
  open: readonly number[] = $state.raw([]);
  /** What was put on the clipboard last: the problem's id. */
  copied: number | null = $state(null);
  /** The problem that was solved last. */
  solved: Solved | null = $state.raw(null);

  #app: AppStore;
  #pages: PagesStore;
  #before: readonly Problem[] = [];
  #mode: string | null = null;
  #hidden = new Set<number>();

  constructor(app: AppStore, pages: PagesStore) {
    this.#app = app;
    this.#pages = pages;
  }

  /** A button was pressed. */
  act(problem: Problem, action: ProblemAction): void {
    const effect = effectOf(problem, action);
    switch (effect.kind) {
      case "ask":
        return void this.#app.request(effect.request);
      case "hide":
        this.#hidden.add(problem.id);
        return this.#app.dismiss(problem);
      case "page":
        return this.#pages.show(effect.page, effect.part);
      case "help":
        this.help = { topic: effect.topic, values: problem.values };
        return;
      case "outside":
        this.leaving = { place: effect.place, topic: effect.topic };
        return;
      case "details":
        return this.toggle(problem.id);
      case "copy":
        return void this.#copy(problem.id, effect.text);
      case "reload":
        return void this.#app.connect();
      case "quit":
        return void this.#app.quit();
    }
  }

  /** Opens or closes a problem's technical text. */
  toggle(id: number): void {
    const isOpen = this.open.includes(id);
    this.open = isOpen ? this.open.filter((other) => other !== id) : [...this.open, id];
  }

  /** The person agreed to leave the window. */
  async leave(): Promise<void> {
    const { leaving } = this;
    this.leaving = null;
    if (leaving === null) return;
    const request = { kind: "openOutside", place: leaving.place } as const;
    const isOpened = (await this.#app.request(request)) !== null;
    if (!isOpened && leaving.topic !== null) this.help = { topic: leaving.topic, values: {} };
  }

  /** Closes whatever is open. */
  close(): void {
    this.help = null;
    this.leaving = null;
  }

  /** Notices which problems are over; call it with every list. */
  observe(problems: readonly Problem[], mode: string, now: number): void {
    const isSame = mode === this.#mode;
    const isOver = (old: Problem) =>
      !this.#hidden.has(old.id) && !problems.some(({ id }) => id === old.id);
    const over = isSame ? this.#before.find((old) => old.severity !== "notice" && isOver(old)) : undefined;
    if (over !== undefined) this.solved = { code: over.code, values: over.values, at: now };
    this.#before = problems;
    this.#mode = mode;
  }

  /** The problem that was solved a moment ago. */
  lately(now: number): Solved | null {
    return this.solved !== null && now - this.solved.at < SOLVED_SECS ? this.solved : null;
  }

  async #copy(id: number, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.copied = id;
    } catch {
      // Not allowed here: the text is in the sentence, or in the details.
      this.copied = null;
    }
  }
}
