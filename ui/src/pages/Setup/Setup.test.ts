import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterEach, describe, expect, it } from "vitest";
import type { AppReply } from "../../ipc/generated/AppReply";
import type { AppRequest } from "../../ipc/generated/AppRequest";
import type { SetupStep } from "../../ipc/generated/SetupStep";
import type { SetupView } from "../../ipc/generated/SetupView";
import { judged, setupView, setUp } from "../../ipc/fake/pages/setup";
import { t } from "../../text";
import { groups, looksSecret } from "../../format/address";
import Setup from "./Setup.svelte";

const ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";
const byId = (id: string) => screen.getByTestId(id);
const absent = (id: string) => screen.queryByTestId(id) === null;
const isOff = (id: string) => (byId(id) as HTMLButtonElement).disabled;

afterEach(cleanup);

/** The set-up with an application that answers as the real one does. */
async function open(first: SetupView) {
  let view = first;
  const requests: AppRequest[] = [];
  const ask = async (request: AppRequest): Promise<AppReply | null> => {
    requests.push(request);
    if (request.kind !== "setup") return { kind: "done" };
    if (request.request.kind === "judgeAddress") {
      return { kind: "address", verdict: judged(request.request.text) };
    }
    view = setUp(view, request.request) ?? view;
    await rerender({ view, now: 0, ask });
    return { kind: "done" };
  };
  const { rerender } = render(Setup, { props: { view, now: 0, ask } });
  await settle();
  return { requests, show: (next: SetupView) => rerender({ view: next, now: 0, ask }) };
}

async function settle() {
  for (let turn = 0; turn < 8; turn += 1) await tick();
}

async function key(name: string) {
  await fireEvent.keyDown(document.body, { key: name });
  await settle();
}

const at = (step: SetupStep, over: Partial<SetupView> = {}): SetupView => ({
  ...setupView(step),
  ...over,
});

const atNode = (over: Partial<SetupView["node"]>): SetupView =>
  at("node", { canGoOn: false, node: { ...setupView().node, ...over } });

describe("the node step", () => {
  it("shows four good lines and goes on", async () => {
    await open(at("node"));
    expect(screen.getAllByTestId("node-fact")).toHaveLength(4);
    expect(screen.getAllByTestId("node-test")).toHaveLength(6);
    expect(isOff("wizard-next")).toBe(false);
  });

  it("names the wrong chain and keeps the way on closed", async () => {
    const trouble = { code: "N-08", details: "testnet4", isPassing: false } as const;
    await open(
      atNode({
        card: { kind: "wrongChain", chain: "testnet4" },
        tests: [{ test: "chain", result: { kind: "failed", trouble }, tookMs: 1 }],
        next: "wait",
      }),
    );
    expect(byId("node-test").dataset["code"]).toBe("N-08");
    expect(isOff("wizard-next")).toBe(true);
  });

  it("shows the whole change before it is written, with the warning about the cookie", async () => {
    const line = { isAdded: true, number: 1, text: "server=1" };
    const review = {
      path: "/home/me/.bitcoin/bitcoin.conf",
      createsFile: false,
      lines: [line],
      stopsCookie: true,
      usesKeychain: true,
      isWriting: false,
    };
    const { requests } = await open(atNode({ review, next: "wait" }));
    expect(byId("conf-review").textContent).toContain("server=1");
    expect(byId("cookie-warning").textContent).toBe(t("setup.review.cookie"));
    await fireEvent.click(byId("review-confirm"));
    expect(requests).toEqual([
      { kind: "setup", request: { kind: "node", request: { kind: "confirmChange" } } },
    ]);
  });

  it("gives the lines to copy where the file cannot be changed", async () => {
    const lines = ["server=1", "rpcauth=p2pool-7f3a:1$2"];
    const trouble = { code: "C-01", path: "/x/bitcoin.conf", details: "read-only", lines } as const;
    await open(atNode({ trouble: { ...trouble, lines: [...lines] }, next: "wait" }));
    expect(byId("error-card").dataset["code"]).toBe("C-01");
    expect(byId("conf-lines").textContent).toBe(lines.join("\n"));
    expect(absent("copy-lines")).toBe(false);
  });

  it("has four ways out of a missing password store", async () => {
    const keyTrouble = { code: "K-01", reason: "no Secret Service", hasCookie: true } as const;
    await open(atNode({ keyTrouble, next: "wait" }));
    for (const choice of ["tryAgain", "cookie", "privateFile", "ask"]) byId(`keep-${choice}`);
    expect(byId("error-card").textContent).toContain("no Secret Service");
  });

  it("does not keep a typed password in the form", async () => {
    const { requests } = await open(atNode({ login: "typed", next: "testForm" }));
    await fireEvent.input(byId("form-password"), { target: { value: "hunter2" } });
    await fireEvent.click(byId("wizard-next"));
    await settle();
    expect(JSON.stringify(requests)).toContain("hunter2");
    expect((byId("form-password") as HTMLInputElement).value).toBe("");
    expect((byId("form-password") as HTMLInputElement).type).toBe("password");
  });

  it("follows a node that fetches the chain and lets one go on", async () => {
    const sync = { progress: 0.63, blocks: 614_000, headers: 975_120, remainingSecs: 172_800 };
    await open(at("node", { node: { ...setupView().node, sync, card: { kind: "catchingUp" } } }));
    expect(byId("node-sync").textContent).toContain("63 %");
    expect(byId("node-sync").textContent).toContain("2 d");
    expect(isOff("wizard-next")).toBe(false);
  });
});

describe("the address step", () => {
  it("goes on only after the address was compared", async () => {
    await open(at("address", { canGoOn: false }));
    await fireEvent.input(byId("address-input"), { target: { value: ADDRESS } });
    await settle();
    expect(byId("address-verdict").dataset).toMatchObject({ type: "segwit", ok: "true" });
    expect(byId("address-groups").textContent?.replaceAll(/\s/g, "")).toBe(ADDRESS);
    expect(isOff("wizard-next")).toBe(true);
    await fireEvent.click(byId("address-checked"));
    await settle();
    expect(isOff("wizard-next")).toBe(false);
  });

  it("clears a secret at once and asks nobody about it", async () => {
    const { requests } = await open(at("address", { canGoOn: false }));
    await fireEvent.input(byId("address-input"), { target: { value: WIF } });
    await settle();
    expect((byId("address-input") as HTMLInputElement).value).toBe("");
    expect(byId("address-verdict").dataset).toMatchObject({ type: "secret", ok: "false" });
    expect(JSON.stringify(requests)).not.toContain(WIF);
    expect(document.body.innerHTML).not.toContain(WIF);
  });

  it("knows what looks like a secret, and no address does", () => {
    const words = Array.from({ length: 11 }, () => "abandon").join(" ");
    for (const secret of [WIF, ` ${WIF}\n`, `${words} about`, "0c".repeat(32)]) {
      expect(looksSecret(secret)).toBe(true);
    }
    for (const text of [ADDRESS, "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "", "hello"]) {
      expect(looksSecret(text)).toBe(false);
    }
    expect(groups("abcdefghij")).toEqual(["abcd", "efgh", "ij"]);
  });
});

describe("the network step", () => {
  it("tells what the router said, and needs nothing of it", async () => {
    const { show } = await open(at("network"));
    for (const kind of ["granted", "noAnswer", "carrierNat"] as const) {
      const network = { ...setupView().network, choice: "askRouter" as const, mapping: { kind } };
      await show(at("network", { network }));
      expect(byId("port-mapping").textContent).toContain(t(`setup.network.mapping.${kind}`));
      expect(isOff("wizard-next")).toBe(false);
      byId("port-notNow");
    }
  });
});

describe("the whole set-up", () => {
  it("can be gone through with the keyboard", async () => {
    const { requests } = await open(setupView());
    for (const step of ["node", "address"] as const) {
      await key("Enter");
      byId(`wizard-step-${step}`);
    }
    await key("Escape");
    byId("wizard-step-node");
    await key("Enter");
    await key("Enter");
    byId("wizard-step-address");
    await fireEvent.input(byId("address-input"), { target: { value: ADDRESS } });
    await settle();
    await fireEvent.click(byId("address-checked"));
    await settle();
    for (const step of ["network", "miners", "start"] as const) {
      await key("Enter");
      byId(`wizard-step-${step}`);
    }
    expect(byId("summary-address").textContent).toBe(ADDRESS);
    await key("Enter");
    expect(requests.at(-1)).toEqual({ kind: "setup", request: { kind: "start" } });
  });
});
