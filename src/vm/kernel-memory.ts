/**
 * Loads through pointers to the kernel's objects, of whose types the machine knows nothing, and through those that nobody vouches for: they read the memory image, or what is the
 * program's own, and 0 where nothing is, as a load that faults does in the kernel. Stores go to the objects that the environment names, in fields that the profile knows.
 */
import { Unsupported } from "../semantics/errors.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { fieldAt, programFacts } from "../semantics/profile/lookup.ts";
import { memoryFault } from "./fault.ts";
import { LOADED_AT, memoryBytes, memoryWords } from "./memory.ts";
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

/**
 * Stores `size` bytes that lie at an index of the machine's memory to an object of the kernel's: a fault where programs may not.
 *
 * @throws Unsupported  for objects that the environment does not name
 */
export function storeKernel(state: State, address: bigint, size: Size, from: number, what: string): void {
  const { objects = [] } = state.environment;
  const found = objects.filter(
    ({ address: start, layout }) => address >= start && address + BigInt(size) <= start + BigInt(layout.size),
  );
  const isAllowed = found.some(
    ({ address: start, layout }) => fieldAt(layout, "write", Number(address - start), size) !== undefined,
  );
  if (!isAllowed) {
    const storesSomewhere = programFacts(defaultProfile(), state.loaded.program)?.writes !== undefined;
    if (found.length > 0 || !storesSomewhere) return refuseStore(state, address, size, what);
    throw new Unsupported(`${what} to an object of the kernel that the environment does not name`);
  }
  if (!state.image.write(address, memoryBytes.slice(from, from + size)))
    throw new Unsupported(`${what} to an object of the kernel that the memory image does not have`);
}

function refuseStore(state: State, address: bigint, size: number, what: string): never {
  const region = state.kernelRegion;
  const half = (at: bigint): number => Number(BigInt.asIntN(32, at));
  const offset = region.offsetOf(half(address), half(address >> 32n));
  return memoryFault("read_only", region, offset, size, `${what} to memory that is the kernel's`);
}

/**
 * A copy of the kernel's memory for a helper, which reads without a guard: what is not there is not modelled.
 *
 * @throws Unsupported  where the memory image has nothing
 */
export function kernelBytes(state: State, address: bigint, size: number, what: string): Uint8Array {
  const bytes = isKernelAddress(address) ? bytesAt(state, address, size) : undefined;
  if (bytes === undefined)
    throw new Unsupported(`${what} of the kernel's memory that the image does not have`);
  return bytes;
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
