import type { SetupStep } from "../../ipc/generated/SetupStep";
import type { TextKey } from "../../text";

/** The steps that are gone through, in order; "computer" once its choices have an effect. */
export const STEPS: readonly SetupStep[] = [
  "welcome",
  "node",
  "address",
  "network",
  "miners",
  "start",
];

/** The heading of each step. */
export const TITLES: Readonly<Record<SetupStep, TextKey>> = {
  welcome: "welcome.title",
  node: "setup.node.title",
  address: "setup.address.title",
  network: "setup.network.title",
  miners: "setup.miners.title",
  computer: "setup.computer.title",
  start: "setup.start.title",
};
