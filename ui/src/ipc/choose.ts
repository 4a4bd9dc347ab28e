import type { Host } from "./host";
import { TauriHost } from "./tauri";

/** The host chosen, and what a second of display time means to it. */
export interface Choice {
  host: Host;
  onTick: (now: number) => void;
}

/**
 * The application to talk to. Inside the desktop shell always the shell: nobody may see invented
 * numbers there. In a plain browser a scripted one, if the address asks for it by
 * `?fake=<script>`; `&still` stops its world. Without that word the page says that no engine
 * answers.
 */
export async function chooseHost(isDesktop: boolean, search: string, now: number): Promise<Choice> {
  const asked = new URLSearchParams(search);
  const name = asked.get("fake");
  if (isDesktop || name === null) return { host: new TauriHost(), onTick: () => {} };
  const { FakeHost } = await import("./fake");
  const { isScriptName } = await import("./fake/scripts");
  const fake = new FakeHost(isScriptName(name) ? name : "setup", now);
  const isAlive = !asked.has("still");
  return { host: fake, onTick: (second) => fake.advance(second, isAlive) };
}
