/** Helpers about time, chance, the processor, the running task, and memory at large. */
import { DEFAULT_TASK, type Task } from "../environment.ts";
import { EFAULT, ERANGE } from "../errno.ts";
import { SCALAR } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

function task(call: Call): Task {
  return { ...DEFAULT_TASK, ...call.state.environment.task };
}

/** Copies the task's name, cut to fit and padded with zeros. */
function currentComm(call: Call): number {
  const out = call.write(1, call.size(2, "size"), "buf");
  const name = new TextEncoder().encode(task(call).comm).subarray(0, out.length - 1);
  out.fill(0);
  out.set(name);
  return 0;
}

/** Kernel addresses on x86-64: the upper half of the canonical ones. */
const KERNEL_START = 0xffff_8000_0000_0000n;

/**
 * Reads from any address, of which the machine knows those that carry their region; whatever else is asked for is not mapped here.
 * As in Linux a failed read fills with zeros.
 */
function probeRead(call: Call): number {
  const size = call.size(2, "size", "zero");
  const out = call.write(1, size, "dst");
  const address = call.u64(3, "unsafe_ptr");
  const region = call.state.tag(3);
  const offset = call.state.offset(3, region);
  if (region !== SCALAR && region.holds(offset, size)) {
    out.set(region.bytes.slice(region.origin + offset, region.origin + offset + size));
    return 0;
  }
  out.fill(0);
  if (address < KERNEL_START) return ERANGE;
  return size === 0 ? 0 : EFAULT;
}

const pack = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);

export const SYSTEM_HELPERS: HelperTable = {
  ktime_get_ns: (call) => call.now,
  get_prandom_u32: (call) => call.run.random(),
  get_smp_processor_id: (call) => call.cpu,
  get_current_pid_tgid: (call) => pack(task(call).tgid, task(call).pid),
  get_current_uid_gid: (call) => pack(task(call).gid, task(call).uid),
  get_current_comm: currentComm,
  probe_read_kernel: probeRead,
};
