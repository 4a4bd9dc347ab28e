import "./locale";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { chooseHost } from "./ipc/choose";
import { isDesktop } from "./ipc/tauri";
import { AppStore } from "./stores/app.svelte";
import { Clock } from "./stores/clock.svelte";
import { PagesStore } from "./stores/pages.svelte";
import { ThemeStore } from "./stores/theme.svelte";

async function start(): Promise<void> {
  const target = document.getElementById("app");
  if (target === null) throw new Error("index.html has no #app");
  const clock = new Clock(Math.floor(Date.now() / 1000));
  const { host, onTick } = await chooseHost(isDesktop(), location.search, clock.now);
  const app = new AppStore(host, clock);
  mount(App, { target, props: { app, clock, pages: new PagesStore(app), theme: new ThemeStore(window) } });
  clock.start(() => {
    onTick(clock.now);
    app.tick();
  });
  document.addEventListener("visibilitychange", () => {
    void app.request({ kind: "setVisible", isVisible: document.visibilityState === "visible" });
  });
  await app.connect();
}

void start();
