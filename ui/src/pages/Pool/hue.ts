/** Colours that addresses share. */
export const HUES = 48;

/** The colour of an address: FNV-1a over its characters. */
export function hueOf(address: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < address.length; at += 1) {
    hash = Math.imul(hash ^ address.charCodeAt(at), 0x01_00_01_93);
  }
  return (hash >>> 0) % HUES;
}
