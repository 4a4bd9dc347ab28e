import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import { COMMANDS } from "./commands";
import type { AppEvent } from "./generated/AppEvent";
import type { AppReply } from "./generated/AppReply";
import type { AppRequest } from "./generated/AppRequest";
import type { AppSnapshot } from "./generated/AppSnapshot";
import type { Host } from "./host";

/** Whether this page runs inside the desktop shell. */
export function isDesktop(): boolean {
  return isTauri() || "__TAURI_INTERNALS__" in globalThis;
}

/** The desktop shell. */
export class TauriHost implements Host {
  subscribe(onEvent: (event: AppEvent) => void): Promise<AppSnapshot> {
    const channel = new Channel<AppEvent>(onEvent);
    return invoke<AppSnapshot>(COMMANDS.subscribe, { channel });
  }

  request(request: AppRequest): Promise<AppReply> {
    return invoke<AppReply>(COMMANDS.request, { request });
  }

  hide(): Promise<void> {
    return invoke(COMMANDS.hide);
  }

  quit(): Promise<void> {
    return invoke(COMMANDS.quit);
  }
}
