/**
 * Loads through pointers to the kernel's objects, of whose types the machine knows nothing, and through those that nobody vouches for: they read the memory image, or what is the
 * program's own, and 0 where nothing is, as a load that faults does in the kernel.
 */
import { Unsupported } from "../semantics/errors.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import { LOADED_AT, memoryWords } from "./memory.ts";
import type { Op } from "./op.ts";
import { bytesAt, isKernelAddress, isOwnAddress } from "./reach.ts";
import { type Region, SCALAR, UNINITIALISED } from "./region.ts";
import type { State } from "./state.ts";

/**
 * Loads into the scratch word. What is loaded is a pointer of the same kind if the image has something at that address.
 *
 * @throws Unsupported  if the environment says nothing of memory, for the kernel's; and as `bytesAt`
 */
export function loadKernel(state: State, address: bigint, size: Size): Region {
  const { image } = state;
  const isKernel = isKernelAddress(address);
  if (isKernel && !image.given && !isOwnAddress(address))
    throw new Unsupported("pointers to the kernel's objects without a memory image");
  const bytes = new Uint8Array(8);
  bytes.set((isKernel ? bytesAt(state, address, size) : undefined) ?? new Uint8Array(size));
  const value = new DataView(bytes.buffer);
  memoryWords[LOADED_AT / 4] = value.getUint32(0, true);
  memoryWords[LOADED_AT / 4 + 1] = value.getUint32(4, true);
  return size === 8 ? kernelPointerOrNumber(state, value.getBigUint64(0, true)) : SCALAR;
}

/** The region of a value that may be a pointer of the kernel's: whether it points to something in the image. */
export function kernelPointerOrNumber(state: State, value: bigint): Region {
  if (isKernelAddress(value) && state.image.read(value, 1) !== undefined) return state.kernelRegion;
  state.lostKernelPointer = true;
  return SCALAR;
}

/**
 * Arguments that are tagged `arg:untrusted` are addresses, whatever the caller gives: the kernel guards each load through them. Arithmetic beyond sums makes numbers of them
 * here, and pointers of the kernel's still there: loads through numbers are not modelled from then on.
 */
export function guardArguments(state: State, { guarded }: Op): void {
  if (guarded === undefined) return;
  for (const register of guarded)
    if (state.tag(register) !== UNINITIALISED) state.setTag(register, state.kernelRegion);
  state.lostKernelPointer = true;
}
