import type { AddressVerdict } from "../ipc/generated/AddressVerdict";
import { t } from "../text";

/** An address in groups of four, as people compare it. */
export function groups(address: string): string[] {
  return address.match(/.{1,4}/g) ?? [];
}

/** A verdict in words. */
export function verdictText(verdict: AddressVerdict): string {
  if (verdict.kind === "empty") return "";
  if (verdict.kind === "good") return t(`setup.address.good.${verdict.addressType}`);
  const place = verdict.at === null ? null : verdict.at + 1;
  if (verdict.fault === "checksum" && place !== null) {
    return t("setup.address.bad.checksum.at", { place });
  }
  if (verdict.fault === "character") {
    return t("setup.address.bad.character", { found: verdict.found ?? "", place: place ?? "" });
  }
  return t(`setup.address.bad.${verdict.fault}`);
}

/**
 * Whether a text may be a secret, so that it must not even be asked about: a private key, or the
 * words of a wallet. The application judges again; this only keeps what is plain inside the field.
 */
export function looksSecret(text: string): boolean {
  const bare = text.replace(/\s/g, "");
  if (/^[5KL9c][1-9A-HJ-NP-Za-km-z]{49,52}$/.test(bare)) return true;
  if (/^[0-9a-fA-F]{64}$/.test(bare) || /^[xyztuv]prv/i.test(bare)) return true;
  const words = text.trim().split(/[\s,]+/);
  return [12, 15, 18, 21, 24].includes(words.length) && words.every((w) => /^[a-z]{3,8}$/i.test(w));
}
