/**
 * What decides whether a program is looked at at all: its length, what its loader may do, and what it is to be attached to. Then what
 * programs without capabilities may not contain, whatever their states: functions and jumps back.
 */
import { reject } from "../absint/transfer/rejection.ts";
import { Unsupported } from "../semantics/errors.ts";
import { callbackOf, isFunction, programFacts, says } from "../semantics/profile/lookup.ts";
import type { FunctionTargets, Profile } from "../semantics/profile/profile.ts";
import { isGplCompatible } from "../semantics/program/license.ts";
import { type Capability, isCapable } from "../semantics/program/privileges.ts";
import type { Program } from "../semantics/program/program.ts";
import { ATTACH_TYPES, type ProgramType } from "../semantics/program/program-types.ts";

import { type ControlFlow, callee, checkControlFlow, successors } from "./control-flow.ts";
import { checkInstructions } from "./instructions.ts";
import { checkMapLoads } from "./map-loads.ts";
import { checkSingleMaps } from "./single-maps.ts";

/** The most instructions of a program whose loader lacks `cap_bpf` (BPF_MAXINSNS). */
const MAX_INSNS = 4096;

/** Types of programs that everybody may load. */
const FOR_ALL: ReadonlySet<ProgramType> = new Set(["socket_filter", "cgroup_skb"]);
/** Those that need `cap_bpf` and nothing else. */
const FOR_BPF: ReadonlySet<ProgramType> = new Set(["sk_reuseport", "sk_lookup", "syscall"]);
/** Those that see more of the kernel than the network. */
const FOR_PERFMON: ReadonlySet<ProgramType> = new Set([
  "kprobe",
  "tracepoint",
  "perf_event",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "tracing",
  "lsm",
  "struct_ops",
  "ext",
]);

/** The capabilities that the loader of a program of the type needs. */
export function capabilitiesFor(type: ProgramType): readonly Exclude<Capability, "cap_sys_admin">[] {
  if (FOR_ALL.has(type)) return [];
  if (FOR_BPF.has(type)) return ["cap_bpf"];
  if (type === "ext") return ["cap_bpf", "cap_perfmon", "cap_net_admin"];
  return ["cap_bpf", FOR_PERFMON.has(type) ? "cap_perfmon" : "cap_net_admin"];
}

/**
 * Checks all that must hold before any state is looked at, in the kernel's order.
 *
 * @throws Rejection  with the kernel's message
 */
export function admit(program: Program, profile: Profile): ControlFlow {
  if (admitted?.program === program && admitted.profile === profile) return admitted.flow;
  const flow = admitAnew(program, profile);
  admitted = { program, profile, flow };
  return flow;
}

/** What was admitted last. Who has a certificate confirmed asks about the same program again, and neither a program nor what is known of its control flow ever changes. */
let admitted:
  | { readonly program: Program; readonly profile: Profile; readonly flow: ControlFlow }
  | undefined;

function admitAnew(program: Program, profile: Profile): ControlFlow {
  checkLoader(program);
  requireAttachType(program, profile);
  checkCalls(program);
  checkSingleMaps(program);
  checkMapLoads(program, profile);
  const flow = checkControlFlow(program);
  checkInstructions(program.insns, profile);
  checkLoops(program, flow.functions);
  checkTarget(program, profile);
  checkFunction(program, profile);
  checkCallback(program, profile);
  checkSleepable(program, profile);
  if (says(profile, "recursion")) checkRecursion(program, flow);
  return flow;
}

/** Hooks that are closed to programs. */
function checkTarget({ attach, target = "" }: Program, { targets }: Profile): void {
  const refused = attach === undefined ? undefined : targets?.[attach]?.refused?.[target];
  if (refused !== undefined) reject("EINVAL", `points to ${refused} bpf_lsm_${target}`);
}

/** How programs attach to functions of the kernel. */
const TO_FUNCTIONS: ReadonlySet<string> = new Set([
  "trace_fentry",
  "trace_fexit",
  "trace_fsession",
  "modify_return",
]);

/** Functions of the kernel may be closed, or open to programs that do less. */
function checkFunction({ type, attach, target = "", flags }: Program, profile: Profile): void {
  const ofHook = type === "lsm" && attach === "lsm_mac";
  const ofFunction = type === "tracing" && TO_FUNCTIONS.has(attach ?? "");
  if (profile.functions === undefined || !(ofHook || ofFunction)) return;
  const name = ofHook ? `bpf_lsm_${target}` : target;
  const is = (what: keyof FunctionTargets): boolean => isFunction(profile, what, name);
  if (is("missing")) reject("ENOENT", `The address of function ${name} cannot be found`);
  if (is("closed")) reject("EINVAL", `Attaching tracing programs to function '${name}' is rejected.`);
  if (flags.includes("sleepable") && !is("sleepable")) reject("EINVAL", `${name} is not sleepable`);
  if (attach === "modify_return" && !is("modifiable")) reject("EINVAL", `${name}() is not modifiable`);
}

/**
 * Checks what a kernel checks before it looks at instructions.
 *
 * @throws Rejection  with the kernel's error; its log says nothing of these
 */
function checkLoader(program: Program): void {
  const { type, insns } = program;
  if (!isCapable(program, "cap_bpf") && insns.length > MAX_INSNS) {
    reject("E2BIG", `program of ${insns.length} insns is too large`);
  }
  const missing = capabilitiesFor(type).filter((capability) => !isCapable(program, capability));
  if (missing.length > 0) {
    reject("EPERM", `programs of type ${type} are for loaders with ${missing.join(" and ")}`);
  }
}

/** Types that attach to functions of the kernel or of other programs: which attach types they have depends on those. */
const BY_TARGET: ReadonlySet<ProgramType> = new Set(["tracing", "lsm", "struct_ops", "ext"]);

/** The types whose programs need no attach type, by profile. */
const WITHOUT = new WeakMap<Profile, ReadonlySet<ProgramType>>();

function typesWithoutAttachType(profile: Profile): ReadonlySet<ProgramType> {
  let found = WITHOUT.get(profile);
  if (found === undefined) {
    const facts = Object.values(profile.programs).filter(({ attach }) => attach === undefined);
    found = new Set(facts.map(({ type }) => type));
    WITHOUT.set(profile, found);
  }
  return found;
}

function requireAttachType({ type, attach }: Program, profile: Profile): void {
  const known = profile.attachTypes[type];
  if (known === undefined || known === "any" || BY_TARGET.has(type)) return;
  // The attach type of number 0 is the same as none.
  const expected = attach === ATTACH_TYPES[0] ? undefined : attach;
  if (expected === undefined ? typesWithoutAttachType(profile).has(type) : known.includes(expected)) return;
  const given = expected === undefined ? "none" : expected;
  reject("EINVAL", `expected attach type of ${type} programs: ${known.join(", ") || "none"}; not ${given}`);
}

/**
 * Checks that a program may stand for the callback that it names.
 *
 * @throws Rejection  with the kernel's message
 */
function checkCallback(program: Program, { callbacks }: Profile): void {
  if (program.type !== "struct_ops" || callbacks === undefined) return;
  if (!isGplCompatible(program.license)) {
    reject("EINVAL", "struct ops programs must have a GPL compatible license");
  }
  const callback = callbackOf(program);
  if (callback === undefined) throw new Unsupported("programs of type struct_ops that name no callback");
  const { struct, member } = callback;
  const members = callbacks[struct];
  if (members === undefined) {
    return reject("ENOTSUPP", `attach_btf_id of struct ${struct} is not a supported struct`);
  }
  const kinds = members[member];
  if (kinds === undefined) return reject("EINVAL", `attach to invalid member ${member} of struct ${struct}`);
  if (kinds.unknown === true) throw new Unsupported(`programs for ${struct}/${member}`);
  const sleepable = program.flags.includes("sleepable");
  if ((sleepable ? kinds.sleepable : kinds.plain) !== undefined) return;
  const any = kinds.plain ?? kinds.sleepable;
  reject(
    any === undefined ? "ENOTSUPP" : "EINVAL",
    `attach to unsupported member ${member} of struct ${struct}`,
  );
}

/**
 * Checks whether the program may sleep, or not, as it says. Unknown kinds are left to whoever looks for their facts.
 *
 * @throws Rejection  with the kernel's message
 */
function checkSleepable(program: Program, profile: Profile): void {
  if (programFacts(profile, program) !== undefined) return;
  const sleepable = program.flags.includes("sleepable");
  const flags = sleepable
    ? program.flags.filter((flag) => flag !== "sleepable")
    : [...program.flags, "sleepable" as const];
  if (programFacts(profile, { ...program, flags }) === undefined) return;
  if (sleepable && program.attach === "trace_raw_tp") requireFaultable(program, profile);
  reject(
    "EINVAL",
    sleepable
      ? "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable"
      : "Syscall programs can only be sleepable",
  );
}

/** Tracepoints that are passed where the kernel may sleep: those of system calls. */
const FAULTABLE: ReadonlySet<string> = new Set(["sys_enter", "sys_exit"]);

/** Kernels on which raw tracepoints may sleep let programs for typed ones do so, too, where that can be. */
function requireFaultable({ target = "" }: Program, profile: Profile): void {
  const others = Object.values(profile.programs);
  if (!others.some(({ type, sleepable }) => type === "raw_tracepoint" && sleepable === true)) return;
  if (FAULTABLE.has(target)) throw new Unsupported(`sleepable programs for tracepoint ${target}`);
  reject("EINVAL", `Sleepable program cannot attach to non-faultable tracepoint ${target}`);
}

/**
 * Checks what instructions of the program its loader's capabilities allow.
 *
 * @throws Rejection  with the kernel's message
 */
function checkCalls(program: Program): void {
  if (isCapable(program, "cap_bpf") && isCapable(program, "cap_perfmon")) return;
  for (const insn of program.insns) {
    const operation = insn?.row.operation;
    const calls = operation?.kind === "call" && operation.callee !== "helper";
    if (!calls && !(operation?.kind === "ld_imm64" && operation.load === "func")) continue;
    if (!isCapable(program, "cap_bpf")) {
      reject(
        "EPERM",
        "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN",
      );
    }
  }
}

/**
 * Checks that no function calls itself, by way of others or not, whether a path leads to the call or none. Where a kernel does not look, the depth of calls ends it.
 *
 * @throws Rejection  with the kernel's message
 */
function checkRecursion({ insns, functions: named }: Program, { functions, functionOf }: ControlFlow): void {
  const calls = new Map<number, number[]>(functions.map((start) => [start, []]));
  insns.forEach((insn, pc) => {
    const to = insn === undefined ? undefined : callee(pc, insn);
    if (to !== undefined) calls.get(functionOf[pc] ?? 0)?.push(to);
  });
  // The first call is taken out first.
  for (const list of calls.values()) list.reverse();
  const nameOf = (start: number): string => named.find(({ insn }) => insn === start)?.name ?? "";
  const open = new Set<number>();
  const done = new Set<number>();
  for (const root of functions) {
    const path = [root];
    for (let start = path.at(-1); start !== undefined; start = path.at(-1)) {
      open.add(start);
      const to = done.has(start) ? undefined : calls.get(start)?.pop();
      if (to === undefined) {
        open.delete(start);
        done.add(start);
        path.pop();
      } else if (open.has(to)) {
        reject("EINVAL", `recursive call from ${nameOf(start)}() to ${nameOf(to)}()`);
      } else {
        path.push(to);
      }
    }
  }
}

/**
 * Checks that a program goes only forwards if its loader must not go round. To be called when jumps are known to stay inside.
 *
 * @throws Rejection  with the kernel's message
 */
function checkLoops(program: Program, functions: readonly number[]): void {
  if (isCapable(program, "cap_bpf")) return;
  const edge = functions.map((start) => backEdge(program, start)).find((found) => found !== undefined);
  if (edge !== undefined) reject("EINVAL", `back-edge from insn ${edge.from} to ${edge.to}`);
}

/** A jump that goes back to an instruction on the way to it. */
function backEdge(
  { insns }: Program,
  start: number,
): { readonly from: number; readonly to: number } | undefined {
  const [onTheWay, done] = [1, 2];
  const found = new Uint8Array(insns.length);
  const path = [{ pc: start, next: successors(insns, start) }];
  found[start] = onTheWay;
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const [to, ...rest] = last.next;
    if (to === undefined) {
      found[last.pc] = done;
      path.pop();
      continue;
    }
    last.next = rest;
    if (found[to] === onTheWay) return { from: last.pc, to };
    if (found[to] === done) continue;
    found[to] = onTheWay;
    path.push({ pc: to, next: successors(insns, to) });
  }
  return undefined;
}
