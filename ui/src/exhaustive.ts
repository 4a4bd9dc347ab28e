/** Ends a union's branches: a new case in Rust is a type error here. */
export function exhaustive(value: never): never {
  throw new Error(`unhandled case ${JSON.stringify(value)}`);
}
