import type { Call } from "./call.ts";

/**
 * A helper: takes its arguments from the call and returns r0, as a signed or unsigned number; or nothing, if it has set r0
 * itself. `void` in the kernel's prototype leaves r0 without a value.
 */
export type Helper = (call: Call) => bigint | number | undefined;

/** Helpers by their names in `HELPER_NAMES`. */
export type HelperTable = { readonly [name: string]: Helper };
