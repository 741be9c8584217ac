/** Helpers about the task that runs. */
import { Unsupported } from "../../semantics/errors.ts";
import { DEFAULT_TASK, TASK_ADDRESS, type Task } from "../environment.ts";
import { E2BIG, EAGAIN, EINVAL, EPERM } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** The first namespace's file (PROC_PID_INIT_INO in linux/proc_ns.h). */
const FIRST_NAMESPACE = { device: 4n, inode: 0xefff_fffcn };
const ROOT_GROUP = 1n;

export function currentTask({ state: { environment } }: Call): Task & { readonly address: bigint } {
  return { address: TASK_ADDRESS, ...DEFAULT_TASK, ...environment.task };
}

const cgroupsOf = ({ state: { environment } }: Call): readonly bigint[] =>
  environment.cgroups ?? [ROOT_GROUP];

const pack = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Copies the task's name, cut to fit and padded with zeros. */
function currentComm(call: Call): number {
  const out = call.write(1, call.size(2, "size"), "buf");
  const name = new TextEncoder().encode(currentTask(call).comm).subarray(0, out.length - 1);
  out.fill(0);
  out.set(name);
  return 0;
}

/** The task's numbers in a namespace that is named by its file, if that is the task's own. */
function namespacePid(call: Call): number {
  const { pid, tgid } = currentTask(call);
  const { pidNamespace = FIRST_NAMESPACE } = call.state.environment;
  const size = call.size(4, "size");
  const out = call.write(3, size, "nsdata");
  const isOwn = call.u64(1, "dev") === pidNamespace.device && call.u64(2, "ino") === pidNamespace.inode;
  out.fill(0);
  if (size !== NAMESPACE_PID || !isOwn) return EINVAL;
  const view = new DataView(out.buffer, out.byteOffset, size);
  view.setUint32(0, pid, true);
  view.setUint32(4, tgid, true);
  return 0;
}

/** Bytes of `struct bpf_pidns_info`. */
const NAMESPACE_PID = 8;

/** The id of the task's control group, or of one that it lies in: level 0 is the root. */
function ancestorGroup(call: Call): bigint {
  const level = call.i32(1, "ancestor_level");
  return cgroupsOf(call)[level] ?? 0n;
}

/** Whether the task lies in the control group at an index of a map, or in one below. */
function underGroup(call: Call): number {
  const map = call.map(1);
  const index = call.u32(2, "idx");
  if (map.kind !== "cgroups") return call.refuse(1, "map", `is a map of type ${map.definition.type}`);
  if (index >= map.definition.maxEntries) return E2BIG;
  const group = map.at(index);
  if (group === undefined) return EAGAIN;
  return cgroupsOf(call).includes(BigInt(group.id)) ? 1 : 0;
}

/** The last signal (_NSIG on x86-64). */
const LAST_SIGNAL = 64;
/** The process that no program sends a signal to. */
const INIT = 1;

function sendSignal(call: Call, to: "thread" | "process"): number {
  const number = call.u32(1, "sig");
  if (currentTask(call).tgid === INIT) return EPERM;
  if (number > LAST_SIGNAL) return EINVAL;
  // Signal 0 only asks whether one could be sent.
  if (number !== 0) call.run.tracing.signals.push({ number, to });
  return 0;
}

function taskPointer(call: Call): undefined {
  call.state.setKernelPointer(0, currentTask(call).address);
  return undefined;
}

function taskRegisters(call: Call): undefined {
  const { address, registers } = currentTask(call);
  if (call.u64(1, "task") !== address || registers === undefined)
    throw new Unsupported("task_pt_regs without the task's registers in memory");
  call.state.setKernelPointer(0, registers);
  return undefined;
}

export const TASK_HELPERS: HelperTable = {
  get_current_pid_tgid: (call) => pack(currentTask(call).tgid, currentTask(call).pid),
  get_current_uid_gid: (call) => pack(currentTask(call).gid, currentTask(call).uid),
  get_current_comm: currentComm,
  get_current_task: (call) => currentTask(call).address,
  get_current_task_btf: taskPointer,
  task_pt_regs: taskRegisters,
  get_current_cgroup_id: (call) => cgroupsOf(call).at(-1) ?? 0n,
  get_current_ancestor_cgroup_id: ancestorGroup,
  get_ns_current_pid_tgid: namespacePid,
  current_task_under_cgroup: underGroup,
  send_signal: (call) => sendSignal(call, "process"),
  send_signal_thread: (call) => sendSignal(call, "thread"),
};
