/** The kernel's functions by name and address, as far as an environment gives them. */

import type { KernelFunction } from "../environment/tracing.ts";
import type { Environment } from "../environment.ts";
import { EINVAL, ENOENT, EPERM } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

function functionAt({ functions = [] }: Environment, at: bigint): KernelFunction | undefined {
  return functions.find(({ address, size }) => at >= address && at < address + BigInt(size));
}

/**
 * An address as printf shows it: a function's name, with the offset and the function's size if asked for, or the bare address where there is none. A
 * return address may lie just behind its function.
 */
export function symbolText(
  environment: Environment,
  address: bigint,
  form: "name" | "offset" | "return",
): string {
  const found = functionAt(environment, form === "return" ? address - 1n : address);
  if (found === undefined) return `0x${address.toString(16)}`;
  if (form === "name") return found.name;
  return `${found.name}+0x${(address - found.address).toString(16)}/0x${found.size.toString(16)}`;
}

/** The address of a function; a name comes with its final NUL. */
function lookUp(call: Call): number {
  const size = call.size(2, "name_sz", "zero");
  const name = Buffer.from(call.read(1, size, "name"));
  const flags = call.u32(3, "flags");
  const out = call.write(4, 8, "res");
  out.fill(0);
  if (flags !== 0 || size <= 1 || name[size - 1] !== 0) return EINVAL;
  if (call.state.environment.task?.uid !== undefined && call.state.environment.task.uid !== 0) return EPERM;
  const text = name.toString("latin1", 0, name.indexOf(0));
  const found = call.state.environment.functions?.find((one) => one.name === text);
  if (found === undefined) return ENOENT;
  new DataView(out.buffer, out.byteOffset, 8).setBigUint64(0, found.address, true);
  return 0;
}

export const SYMBOL_HELPERS: HelperTable = { kallsyms_lookup_name: lookUp };
