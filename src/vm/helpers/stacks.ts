/** Helpers about stacks: return addresses of the kernel and of the process, as the environment gives them, and branches that the processor has recorded. */
import { Unsupported } from "../../semantics/errors.ts";
import { EFAULT, EINVAL, ENOENT } from "../errno.ts";
import { UNINITIALISED } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { currentTask } from "./tasks.ts";

/** Flags of these helpers (linux/bpf.h). */
const BPF_F_SKIP_FIELD_MASK = 0xffn;
const BPF_F_USER_STACK = 1n << 8n;
const BPF_F_FAST_STACK_CMP = 1n << 9n;
const BPF_F_REUSE_STACKID = 1n << 10n;
const BPF_F_USER_BUILD_ID = 1n << 11n;
const GET_STACK_FLAGS = BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_USER_BUILD_ID;
const GET_STACKID_FLAGS =
  BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID;

const ADDRESS = 8;
/** The deepest stack that is looked at (kernel.perf_event_max_stack). */
const DEEPEST = 127;

/** The first `depth` return addresses. */
function stackOf({ state: { environment } }: Call, flags: bigint, depth: number): readonly bigint[] {
  const user = (flags & BPF_F_USER_STACK) !== 0n;
  const stack = user ? environment.userStack : environment.kernelStack;
  if (stack === undefined)
    throw new Unsupported(`the ${user ? "process's" : "kernel's"} stack without one in the environment`);
  return stack.slice(0, Math.min(depth, DEEPEST));
}

/** Copies return addresses to memory, as many as there is room for, and zeros behind them. */
function stackToMemory(call: Call, bufferRegister: number): number {
  const size = call.size(bufferRegister + 1, "size", "zero");
  const flags = call.u64(bufferRegister + 2, "flags");
  const out = call.write(bufferRegister, size, "buf");
  out.fill(0);
  const buildId = (flags & BPF_F_USER_BUILD_ID) !== 0n;
  if ((flags & ~GET_STACK_FLAGS) !== 0n || (buildId && (flags & BPF_F_USER_STACK) === 0n)) return EINVAL;
  if (buildId) throw new Unsupported(`${call.helper} with build ids`);
  if (size % ADDRESS !== 0) return EINVAL;
  const skip = Number(flags & BPF_F_SKIP_FIELD_MASK);
  const stack = stackOf(call, flags, size / ADDRESS + skip);
  if (stack.length < skip) return EFAULT;
  const taken = stack.slice(skip);
  out.set(new Uint8Array(BigUint64Array.from(taken).buffer));
  return taken.length * ADDRESS;
}

function taskStack(call: Call): number {
  if (call.u64(1, "task") !== currentTask(call).address)
    throw new Unsupported("the stack of a task that does not run");
  return stackToMemory(call, 2);
}

/** BPF_F_STACK_BUILD_ID of stack trace maps. */
const STACK_BUILD_ID = 1 << 5;

/** The number of the stack in a map of stack traces. */
function stackNumber(call: Call): number {
  call.context(1);
  const map = call.map(2);
  const flags = call.u64(3, "flags");
  if (map.kind !== "stacks") return call.refuse(2, "map", `is a map of type ${map.definition.type}`);
  if ((map.definition.flags & STACK_BUILD_ID) !== 0) throw new Unsupported("get_stackid with build ids");
  if ((flags & ~GET_STACKID_FLAGS) !== 0n) return EINVAL;
  const skip = Number(flags & BPF_F_SKIP_FIELD_MASK);
  const stack = stackOf(call, flags, map.definition.valueSize / ADDRESS + skip);
  if (stack.length <= skip) return EFAULT;
  return map.record(stack.slice(skip), flags);
}

/** BPF_F_GET_BRANCH_RECORDS_SIZE. */
const RECORDS_SIZE = 1n;

/** The event that the program is attached to has recorded no branches. */
function branchRecords(call: Call): number {
  call.context(1);
  const flags = call.u64(4, "flags");
  return (flags & ~RECORDS_SIZE) === 0n ? ENOENT : EINVAL;
}

/** The processor records no branches. Verifiers do not look at the third argument, so it may be what a register happens to hold. */
function branchSnapshot(call: Call): number {
  call.write(1, call.size(2, "size", "zero"), "entries");
  if (call.state.tag(3) === UNINITIALISED)
    throw new Unsupported("get_branch_snapshot with flags that were never written");
  return call.u64(3, "flags") === 0n ? ENOENT : EINVAL;
}

export const STACK_HELPERS: HelperTable = {
  get_stack(call) {
    call.context(1);
    return stackToMemory(call, 2);
  },
  get_task_stack: taskStack,
  get_stackid: stackNumber,
  read_branch_records: branchRecords,
  get_branch_snapshot: branchSnapshot,
};
