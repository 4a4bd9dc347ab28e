import { describe, expect, it } from "vitest";
import { chooseHost } from "./choose";
import { FakeHost } from "./fake";
import { TauriHost } from "./tauri";

const NOW = 1_795_400_000;

describe("the host", () => {
  it("is never a fake inside the desktop shell", async () => {
    const { host } = await chooseHost(true, "?fake=earning", NOW);
    expect(host).toBeInstanceOf(TauriHost);
  });

  it("is a fake in a browser only if the address asks for it", async () => {
    expect((await chooseHost(false, "", NOW)).host).toBeInstanceOf(TauriHost);
    expect((await chooseHost(false, "?fake=earning", NOW)).host).toBeInstanceOf(FakeHost);
  });

  it("plays the script asked for, and the beginning if there is none of that name", async () => {
    const open = async (search: string) => {
      const { host } = await chooseHost(false, search, NOW);
      return (await host.subscribe(() => {})).overall.state;
    };
    expect(await open("?fake=paused")).toBe("paused");
    expect(await open("?fake=nonsense")).toBe("setup");
  });

  it("lets a fake world go on by the second unless it stands still", async () => {
    const heard = async (search: string) => {
      let events = 0;
      const { host, onTick } = await chooseHost(false, search, NOW);
      await host.subscribe(() => (events += 1));
      onTick(NOW + 1);
      return events;
    };
    expect(await heard("?fake=earning")).toBeGreaterThan(0);
    expect(await heard("?fake=earning&still")).toBe(0);
  });
});
