const ENDS = 8;

/** An address by its ends: first eight, last eight. */
export function shortAddress(address: string): string {
  if (address.length <= 2 * ENDS + 1) return address;
  return `${address.slice(0, ENDS)}…${address.slice(-ENDS)}`;
}

/** A hash by its end: `…7fa14801`. */
export function shortHash(hash: string): string {
  return hash.length <= ENDS ? hash : `…${hash.slice(-ENDS)}`;
}
