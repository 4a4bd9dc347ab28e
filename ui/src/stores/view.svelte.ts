import { applied } from "../ipc/apply";
import type { AppSnapshot } from "../ipc/generated/AppSnapshot";
import type { Change } from "../ipc/generated/Change";

/** A snapshot whose sections are replaced one by one, each telling its readers. */
export class View implements Omit<AppSnapshot, "seq" | "now"> {
  version: AppSnapshot["version"];
  mode: AppSnapshot["mode"];
  overall: AppSnapshot["overall"];
  control: AppSnapshot["control"];
  hero: AppSnapshot["hero"];
  effort: AppSnapshot["effort"];
  rates: AppSnapshot["rates"];
  series: AppSnapshot["series"];
  shares: AppSnapshot["shares"];
  payouts: AppSnapshot["payouts"];
  lights: AppSnapshot["lights"];
  problems: AppSnapshot["problems"];
  events: AppSnapshot["events"];
  practice: AppSnapshot["practice"];
  theme: AppSnapshot["theme"];
  appearance: AppSnapshot["appearance"];
  computer: AppSnapshot["computer"];
  page: AppSnapshot["page"];
  #snapshot: AppSnapshot;

  constructor(snapshot: AppSnapshot) {
    this.#snapshot = snapshot;
    this.version = $state.raw(snapshot.version);
    this.mode = $state.raw(snapshot.mode);
    this.overall = $state.raw(snapshot.overall);
    this.control = $state.raw(snapshot.control);
    this.hero = $state.raw(snapshot.hero);
    this.effort = $state.raw(snapshot.effort);
    this.rates = $state.raw(snapshot.rates);
    this.series = $state.raw(snapshot.series);
    this.shares = $state.raw(snapshot.shares);
    this.payouts = $state.raw(snapshot.payouts);
    this.lights = $state.raw(snapshot.lights);
    this.problems = $state.raw(snapshot.problems);
    this.events = $state.raw(snapshot.events);
    this.practice = $state.raw(snapshot.practice);
    this.theme = $state.raw(snapshot.theme);
    this.appearance = $state.raw(snapshot.appearance);
    this.computer = $state.raw(snapshot.computer);
    this.page = $state.raw(snapshot.page);
  }

  /** Replaces everything; sections that stayed the same object tell nobody. */
  load(snapshot: AppSnapshot): void {
    this.#snapshot = snapshot;
    this.version = snapshot.version;
    this.mode = snapshot.mode;
    this.overall = snapshot.overall;
    this.control = snapshot.control;
    this.hero = snapshot.hero;
    this.effort = snapshot.effort;
    this.rates = snapshot.rates;
    this.series = snapshot.series;
    this.shares = snapshot.shares;
    this.payouts = snapshot.payouts;
    this.lights = snapshot.lights;
    this.problems = snapshot.problems;
    this.events = snapshot.events;
    this.practice = snapshot.practice;
    this.theme = snapshot.theme;
    this.appearance = snapshot.appearance;
    this.computer = snapshot.computer;
    this.page = snapshot.page;
  }

  /** Replaces the section that changed. */
  apply(change: Change): void {
    this.load(applied(this.#snapshot, change));
  }
}
