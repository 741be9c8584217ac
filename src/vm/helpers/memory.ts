/** Helpers that read and write memory at any address. As in Linux a read that fails leaves zeros. */
import { Unsupported } from "../../semantics/errors.ts";
import { EFAULT, EINVAL, ERANGE } from "../errno.ts";
import { bytesAt, type FoundText, isKernelAddress, textAt, USER_END } from "../reach.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { currentTask } from "./tasks.ts";

/** Whose memory is meant: `any` says it by the address. */
type Memory = "any" | "kernel" | "user";

/** The error number for an address that is not even tried. */
function refusal(memory: Memory, address: bigint): number | undefined {
  const user = memory === "user" || (memory === "any" && address < USER_END);
  if (user) return address > USER_END ? EFAULT : undefined;
  return isKernelAddress(address) ? undefined : ERANGE;
}

function probeRead(call: Call, memory: Memory): number {
  const size = call.size(2, "size", "zero");
  const out = call.write(1, size, "dst");
  const address = call.u64(3, "unsafe_ptr");
  const refused = refusal(memory, address);
  const bytes = refused === undefined ? bytesAt(call.state, address, size) : undefined;
  if (bytes === undefined) {
    out.fill(0);
    return refused ?? EFAULT;
  }
  out.set(bytes);
  return 0;
}

const WORD = 8;

/** Whether the process's memory is read by whole words at an offset of a text of `size` bytes at most. */
const inWords = (call: Call, address: bigint, offset: number, size: number): boolean =>
  offset + WORD <= size && bytesAt(call.state, address + BigInt(offset), WORD) !== undefined;

/** Copies a text; what comes from the process is copied by words, in which zeros follow the text. */
function copyText(
  call: Call,
  out: Uint8Array,
  { bytes, ended }: FoundText,
  address: bigint,
  words: boolean,
): number {
  out.set(bytes);
  if (!ended) {
    out[out.length - 1] = 0;
    return out.length;
  }
  const last = bytes.length - (bytes.length % WORD);
  const end = words && inWords(call, address, last, out.length) ? last + WORD : bytes.length + 1;
  out.fill(0, bytes.length, end);
  return bytes.length + 1;
}

function probeReadText(call: Call, memory: Memory): number {
  const size = call.size(2, "size", "zero");
  const out = call.write(1, size, "dst");
  const address = call.u64(3, "unsafe_ptr");
  if (size === 0) return 0;
  const refused = refusal(memory, address);
  const found = refused === undefined ? textAt(call.state, address, size) : undefined;
  if (found === undefined) {
    out.fill(0);
    return refused ?? EFAULT;
  }
  return copyText(call, out, found, address, address < USER_END);
}

/** For programs that may sleep: the process's memory, which is brought in where it is not there. */
function copyFromUser(call: Call): number {
  const size = call.size(2, "size", "zero");
  const out = call.write(1, size, "dst");
  const address = call.u64(3, "user_ptr");
  const bytes = size === 0 ? out : address < USER_END ? call.state.image.read(address, size) : undefined;
  if (bytes === undefined) {
    out.fill(0);
    return EFAULT;
  }
  out.set(bytes);
  return 0;
}

/** The same for a task, of which the machine has the one that runs. */
function copyFromUserTask(call: Call): number {
  const flags = call.u64(5, "flags");
  if (call.u64(4, "tsk") !== currentTask(call).address)
    throw new Unsupported("the memory of a task that does not run");
  if (flags !== 0n) {
    call.write(1, call.size(2, "size", "zero"), "dst");
    return EINVAL;
  }
  return copyFromUser(call);
}

/** Writes to the process's memory. */
function probeWriteUser(call: Call): number {
  const bytes = call.read(2, call.size(3, "size", "zero"), "src").slice();
  const address = call.u64(1, "dst");
  if (address > USER_END || !call.state.image.write(address, bytes)) return EFAULT;
  call.run.tracing.writes.push({ address, bytes });
  return 0;
}

export const MEMORY_HELPERS: HelperTable = {
  probe_read: (call) => probeRead(call, "any"),
  probe_read_kernel: (call) => probeRead(call, "kernel"),
  probe_read_user: (call) => probeRead(call, "user"),
  probe_read_str: (call) => probeReadText(call, "any"),
  probe_read_kernel_str: (call) => probeReadText(call, "kernel"),
  probe_read_user_str: (call) => probeReadText(call, "user"),
  copy_from_user: copyFromUser,
  copy_from_user_task: copyFromUserTask,
  probe_write_user: probeWriteUser,
};
