import { Unsupported } from "../semantics/errors.ts";
import type { ObjectFunction } from "./functions.ts";

/** CO-RE relocations of a function, applied to a copy of its code. */
export function applyCore(from: ObjectFunction): Uint8Array {
  throw new Unsupported(`${from.name}: CO-RE relocations`);
}
