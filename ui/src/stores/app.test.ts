import { describe, expect, it } from "vitest";
import { logLine } from "../ipc/fake/log";
import { fresh } from "../ipc/fake/fixtures";
import type { AppEvent } from "../ipc/generated/AppEvent";
import type { AppReply } from "../ipc/generated/AppReply";
import type { AppSnapshot } from "../ipc/generated/AppSnapshot";
import type { Host } from "../ipc/host";
import { AppStore, LOST_SECS_MIN, RETRY_SECS, STALE_SECS_MIN } from "./app.svelte";
import { Clock } from "./clock.svelte";

const NOW = 1_795_400_000;

/** A host whose replies the test gives by hand. */
class ManualHost implements Host {
  subscriptions: { emit: (event: AppEvent) => void; reply: (seq: number) => Promise<void> }[] = [];
  refusal: unknown = null;

  subscribe(onEvent: (event: AppEvent) => void): Promise<AppSnapshot> {
    if (this.refusal !== null) return Promise.reject(this.refusal);
    return new Promise((resolve) => {
      this.subscriptions.push({
        emit: onEvent,
        reply: async (seq) => {
          resolve({ ...fresh(NOW), seq });
          await Promise.resolve();
          await Promise.resolve();
        },
      });
    });
  }

  request(): Promise<AppReply> {
    return this.refusal === null ? Promise.resolve({ kind: "done" }) : Promise.reject(this.refusal);
  }

  hide(): Promise<void> {
    return Promise.resolve();
  }

  quit(): Promise<void> {
    return this.refusal === null ? Promise.resolve() : Promise.reject(this.refusal);
  }

  stream(index: number) {
    const stream = this.subscriptions[index];
    if (stream === undefined) throw new Error(`no subscription ${index}`);
    return stream;
  }
}

function setUp() {
  const host = new ManualHost();
  const clock = new Clock(NOW);
  return { host, clock, app: new AppStore(host, clock) };
}

const earning = (seq: number): AppEvent => ({
  seq,
  change: { section: "overall", value: { state: "earning" } },
});
const pause = (seq: number): AppEvent => ({
  seq,
  change: { section: "overall", value: { state: "paused", sharesCountSecs: null } },
});

describe("the stream", () => {
  it("shows nothing until the snapshot is there, then follows events in order", async () => {
    const { host, app } = setUp();
    void app.connect();
    expect(app.view).toBeNull();
    await host.stream(0).reply(7);
    expect(app.connection).toBe("open");
    host.stream(0).emit(earning(8));
    host.stream(0).emit(pause(9));
    expect(app.view?.overall.state).toBe("paused");
    expect(host.subscriptions).toHaveLength(1);
  });

  it("hands lines of the log to who looks at it, and to nobody else", async () => {
    const { host, app } = setUp();
    const lines = (seq: number): AppEvent => ({
      seq,
      change: { section: "log", value: [logLine(seq, NOW)] },
    });
    void app.connect();
    await host.stream(0).reply(7);
    host.stream(0).emit(lines(8));
    expect(app.log.count).toBe(0);
    await app.log.open();
    host.stream(0).emit(lines(9));
    expect(app.log.count).toBe(1);
    host.stream(0).emit(lines(11));
    await host.stream(1).reply(11);
    expect(app.log.count, "begun anew after a gap").toBe(0);
  });

  it("keeps events that overtake the snapshot and drops those it covers", async () => {
    const { host, app } = setUp();
    void app.connect();
    host.stream(0).emit(pause(5));
    host.stream(0).emit(earning(6));
    await host.stream(0).reply(5);
    expect(app.view?.overall.state).toBe("earning");
    expect(host.subscriptions).toHaveLength(1);
  });

  it("subscribes again after a gap and is deaf to the old stream", async () => {
    const { host, app } = setUp();
    void app.connect();
    await host.stream(0).reply(1);
    host.stream(0).emit(earning(3));
    expect(host.subscriptions).toHaveLength(2);
    expect(app.view?.overall.state).toBe("setup");
    await host.stream(1).reply(20);
    host.stream(0).emit(pause(21));
    expect(app.view?.overall.state).toBe("setup");
    host.stream(1).emit(earning(21));
    expect(app.view?.overall.state).toBe("earning");
  });

  it("ignores the late snapshot of a stream it gave up", async () => {
    const { host, app } = setUp();
    void app.connect();
    void app.connect();
    await host.stream(1).reply(4);
    host.stream(1).emit(earning(5));
    await host.stream(0).reply(90);
    expect(app.view?.overall.state).toBe("earning");
    host.stream(1).emit(pause(6));
    expect(app.view?.overall.state).toBe("paused");
  });
});

describe("silence", () => {
  it("first makes data stale, then counts as lost, then is asked again and again", async () => {
    const { host, clock, app } = setUp();
    void app.connect();
    await host.stream(0).reply(1);
    clock.now = NOW + STALE_SECS_MIN - 1;
    expect(app.isStale).toBe(false);
    clock.now = NOW + STALE_SECS_MIN;
    expect(app.isStale).toBe(true);
    app.tick();
    expect(app.connection).toBe("open");
    clock.now = NOW + LOST_SECS_MIN;
    app.tick();
    expect(app.connection).toBe("lost");
    expect(app.problems[0]?.code).toBe("W-01");
    expect(host.subscriptions).toHaveLength(2);
    clock.now += RETRY_SECS - 1;
    app.tick();
    expect(host.subscriptions).toHaveLength(2);
    clock.now += 1;
    app.tick();
    expect(host.subscriptions).toHaveLength(3);
    await host.stream(2).reply(50);
    expect(app.connection).toBe("open");
    expect(app.problems).toEqual([]);
  });

  it("ends with any sign of life", async () => {
    const { host, clock, app } = setUp();
    void app.connect();
    await host.stream(0).reply(1);
    clock.now = NOW + STALE_SECS_MIN;
    host.stream(0).emit({ seq: 2, change: { section: "beat", value: clock.now } });
    expect(app.isStale).toBe(false);
  });
});

describe("failures", () => {
  it("of a subscription become a problem with its code", async () => {
    const { host, app } = setUp();
    host.refusal = { code: "E-APP-02", values: {}, technical: "locked" };
    await app.connect();
    expect(app.problems.map(({ code }) => code)).toEqual(["E-APP-02"]);
    expect(app.problems[0]?.actions).toEqual(["reload"]);
  });

  it("without a code become W-01", async () => {
    const { host, app } = setUp();
    host.refusal = new Error("no such command");
    await app.connect();
    expect(app.problems[0]).toMatchObject({ code: "W-01", technical: "no such command" });
  });

  it("of a request become a problem that can be hidden", async () => {
    const { host, app } = setUp();
    void app.connect();
    await host.stream(0).reply(1);
    host.refusal = { code: "S-01", values: { port: "19332" }, technical: "" };
    await app.request({ kind: "enterPractice", keepsLive: true });
    const [problem] = app.problems;
    expect(problem).toMatchObject({ code: "S-01", values: { port: "19332" } });
    if (problem !== undefined) app.dismiss(problem);
    expect(app.problems).toEqual([]);
  });
});
