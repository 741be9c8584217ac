/**
 * Global functions: those of which the program's BTF says that others may call them. Each is verified once, for all arguments that its prototype
 * allows, and a caller relies on the prototype alone. What is said here depends on the program and the kernel's rules.
 */

import { Unsupported } from "../../semantics/errors.ts";
import { allows, helperCall, helperFacts, kfuncFacts } from "../../semantics/profile/lookup.ts";
import type { Context, Profile, ProgramFacts } from "../../semantics/profile/profile.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { FunctionInfo, Program } from "../../semantics/program/program.ts";
import type { FunctionPrototype, Parameter, Pointee } from "../../semantics/program/prototype.ts";
import { OF_CALLER } from "../callbacks.ts";
import { mayWriteDynptr, movesPacket } from "./packets.ts";
import { Rejection } from "./rejection.ts";

/** What an argument may be. */
export type GlobalArgument =
  /** Any number. */
  | { readonly kind: "scalar" }
  /** The program's context, as the program got it. */
  | { readonly kind: "context" }
  /** Memory of `size` bytes that may be read and written as long as the function runs. */
  | { readonly kind: "memory"; readonly size: number; readonly mayBeNull: boolean }
  /** An object of the kernel's that is valid as long as the function runs. */
  | { readonly kind: "object"; readonly struct: number; readonly mayBeNull: boolean }
  /** Anything at all, of which the kernel guards each load; of a type of the kernel's, or bytes. */
  | { readonly kind: "untrusted"; readonly struct?: number }
  /** An address in the program's arena: a number to the function. */
  | { readonly kind: "arena" }
  /** A dynptr that has been made, of any kind. */
  | { readonly kind: "dynptr" };

export interface GlobalFunction {
  /** Its first instruction. */
  readonly start: number;
  /** The kernel's number of the function: its place among all of the program's, by instruction. */
  readonly number: number;
  readonly name: string;
  /** What r1 and the following hold; or why no call can be verified. */
  readonly arguments: readonly GlobalArgument[] | Rejection | Unsupported;
  /** Whether packet pointers are stale after a call: because of what it does itself, or what it calls. */
  readonly changesPacket: boolean;
  /** Whether it may sleep, itself or in what it calls. */
  readonly sleeps: boolean;
  /** Whether it gives a number to its caller; r0 holds nothing after a call if not. */
  readonly hasResult: boolean;
  /** A call of bpf_throw in it, or in what it calls, if there is one. */
  readonly throwsAt: number | undefined;
  /** Whether it asks who has called the program, itself or in what it calls. */
  readonly asksCaller: boolean;
}

type Rights = Pick<Program, "type" | "attach">;

/** The kernel's limit on arguments in registers. */
const MOST_ARGUMENTS = 5;
/** Larger objects are no bounds for accesses. */
const MOST_BYTES = 2 ** 29;

/** The program's global functions by their first instruction; the main function is none. */
export function globalFunctions(
  program: Program,
  rules: Rules,
  facts: ProgramFacts,
  context: Context | undefined,
): ReadonlyMap<number, GlobalFunction> {
  const inOrder = program.functions.toSorted((a, b) => a.insn - b.insn);
  const found = new Map<number, GlobalFunction>();
  inOrder.forEach((info, number) => {
    if (info.linkage !== "global" || info.typeId === undefined || info.insn === 0) return;
    if (program.btf === undefined) return;
    const effects = effectsOf(program, rules.profile, facts, info.insn);
    found.set(info.insn, {
      start: info.insn,
      number,
      name: info.name,
      arguments: attempt(() => argumentsOf(info, program, rules, context)),
      hasResult: info.prototype?.returns !== "void",
      ...effects,
    });
  });
  return found;
}

function attempt(read: () => readonly GlobalArgument[]): GlobalFunction["arguments"] {
  try {
    return read();
  } catch (error) {
    if (error instanceof Rejection || error instanceof Unsupported) return error;
    throw error;
  }
}

// --- Arguments

function argumentsOf(
  { name, prototype }: FunctionInfo,
  program: Rights,
  rules: Rules,
  context: Context | undefined,
): readonly GlobalArgument[] {
  if (prototype === undefined) throw new Rejection("EINVAL", `Invalid type of function ${name}()`);
  requireResult(name, prototype, allows(rules.profile, "void_functions"));
  const { parameters } = prototype;
  if (parameters.length > MOST_ARGUMENTS) {
    throw new Rejection(
      "EINVAL",
      `Global function ${name}() with ${parameters.length} > ${MOST_ARGUMENTS} args. Buggy compiler.`,
    );
  }
  const tagged = allows(rules.profile, "argument_tags");
  return parameters.map(({ type, tags }, index) =>
    argumentOf(name, { type, tags: tagged ? tags : [] }, index, program, context, rules),
  );
}

function requireResult(name: string, { returns }: FunctionPrototype, mayBeVoid: boolean): void {
  if (returns === "scalar" || (mayBeVoid && returns === "void")) return;
  throw new Rejection("EINVAL", `Global function ${name}() doesn't return scalar. Only those are supported.`);
}

const KNOWN_TAGS: ReadonlySet<string> = new Set([
  "ctx",
  "trusted",
  "untrusted",
  "nonnull",
  "nullable",
  "arena",
]);

function argumentOf(
  name: string,
  { type, tags }: Parameter,
  index: number,
  program: Rights,
  context: Context | undefined,
  rules: Rules,
): GlobalArgument {
  if (tags.some((tag) => !KNOWN_TAGS.has(tag))) {
    throw new Rejection("EOPNOTSUPP", `arg#${index} has unsupported set of tags`);
  }
  if (type.kind !== "pointer") {
    if (tags.length > 0) {
      throw new Rejection("EINVAL", `arg#${index} has pointer tag, but is not a pointer type`);
    }
    if (type.kind === "scalar") return { kind: "scalar" };
    throw new Rejection("EINVAL", `Arg#${index} type ${type.type} in ${name}() is not supported yet.`);
  }
  const isTagged = tags.includes("ctx");
  if (isTagged || isContext(type.to, program, context)) {
    if (tags.some((tag) => tag !== "ctx")) refuseTags(index);
    if (isTagged) requireContextType(type.to, index, program, context);
    return { kind: "context" };
  }
  if (type.to.kind === "STRUCT" && type.to.name === "bpf_dynptr") {
    if (tags.length > 0) refuseTags(index);
    return { kind: "dynptr" };
  }
  const tagged = taggedArgument(type.to, tags, index, rules);
  if (tagged !== undefined) return tagged;
  if (tags.includes("nullable")) refuseTags(index);
  const { kind, name: of, size } = type.to;
  if (size === undefined) {
    throw new Rejection(
      "EINVAL",
      `arg#${index} reference type('${kind} ${of}') size cannot be determined: -22`,
    );
  }
  if (size > MOST_BYTES) throw new Unsupported(`arguments of ${size} bytes`);
  return { kind: "memory", size, mayBeNull: !tags.includes("nonnull") };
}

/** What tags say of a pointer that is neither the context nor memory. */
function taggedArgument(
  to: Pointee,
  tags: Parameter["tags"],
  index: number,
  rules: Rules,
): GlobalArgument | undefined {
  if (tags.includes("trusted")) {
    if (tags.includes("nonnull")) refuseTags(index);
    return { kind: "object", struct: kernelStruct(to, index, rules), mayBeNull: tags.includes("nullable") };
  }
  for (const alone of ["untrusted", "arena"] as const) {
    if (!tags.includes(alone)) continue;
    if (tags.some((tag) => tag !== alone)) {
      throw new Rejection("EINVAL", `arg#${index} ${alone} cannot be combined with any other tags`);
    }
    if (alone === "arena") return { kind: "arena" };
    return BYTES.has(to.kind) ? { kind: alone } : { kind: alone, struct: kernelStruct(to, index, rules) };
  }
  return undefined;
}

/** Kinds of types behind which there are bytes and nothing else; void is unknown to BTF. */
const BYTES: ReadonlySet<string> = new Set(["UNKNOWN", "INT", "ENUM", "ENUM64"]);

/** The kernel's type that the program's stands for. */
function kernelStruct({ kind, name }: Pointee, index: number, rules: Rules): number {
  const what = `arg#${index} reference type('${kind} ${name === "" || kind === "UNKNOWN" ? "(anon)" : name}')`;
  if (kind === "UNKNOWN" || kind === "PTR" || name === "") {
    throw new Rejection("EINVAL", `${what} candidate matching error: -22`);
  }
  const { types } = rules;
  if (types === undefined) throw new Unsupported("arguments of kernel types without the kernel's types");
  const [found, other] = types.namesakes(kind, name);
  if (found === undefined && kind !== "FWD") throw new Rejection("ENOENT", `${what} has no matches`);
  if (other !== undefined) throw new Rejection("ESRCH", `${what} is ambiguous`);
  if (found === undefined || (kind !== "STRUCT" && kind !== "UNION")) {
    throw new Unsupported(`arguments of type ${kind} ${name}`);
  }
  return found;
}

function refuseTags(index: number): never {
  throw new Rejection("EINVAL", `arg#${index} has invalid combination of tags`);
}

/** Program types whose context the kernel has no name for. */
const NAMELESS: ReadonlySet<string> = new Set(["tracepoint", "syscall"]);

/** Whether a pointer is one to the context by the name of its type. */
function isContext(to: Pointee, { type }: Rights, context: Context | undefined): boolean {
  if (context === undefined || NAMELESS.has(type)) return false;
  if (type === "kprobe" && to.typedef === "bpf_user_pt_regs_t") return true;
  return to.kind === "STRUCT" && to.name === context.struct;
}

/** Programs that see their arguments as an array of 64-bit numbers. */
const ARRAYS: ReadonlySet<string> = new Set([
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "tracing",
  "lsm",
  "struct_ops",
]);

/** What is tagged as the context must be of a type that stands for it; a pointer to void always does. */
function requireContextType(to: Pointee, index: number, program: Rights, context: Context | undefined): void {
  if (to.kind === "UNKNOWN") return;
  if (to.name === "") throw new Rejection("EINVAL", `arg#${index} type doesn't have a name`);
  if (NAMELESS.has(program.type) || isContext(to, program, context) || standsForContext(to, program)) return;
  // The context of these has no name in C.
  const isVoid = program.type === "tracing" || program.type === "lsm";
  if (!isVoid && (program.type === "struct_ops" || context === undefined)) {
    throw new Unsupported(`arg:ctx of arg#${index}, a pointer to ${to.kind} ${to.name}`);
  }
  const wanted = isVoid ? "void pointer" : `\`struct ${context?.struct} *\``;
  throw new Rejection("EINVAL", `arg#${index} should be ${wanted}`);
}

/** Types that are taken for the context beside its own. */
function standsForContext(to: Pointee, { type, attach }: Rights): boolean {
  const isStruct = to.kind === "STRUCT";
  if (type === "perf_event") return isStruct && to.name === "pt_regs";
  if (attach === "trace_iter") return isStruct && to.name.startsWith("bpf_iter__");
  if (attach === "trace_raw_tp" && isStruct && to.name === "bpf_raw_tracepoint_args") return true;
  return ARRAYS.has(type) && to.kind === "INT" && to.size === 8;
}

// --- What calls do

interface Effects {
  readonly changesPacket: boolean;
  readonly sleeps: boolean;
  readonly throwsAt: number | undefined;
  readonly asksCaller: boolean;
}

/** Helpers after which nothing is known of a packet though no profile says so: another program may run, or a packet be written behind a handle. */
const MAY_CHANGE_PACKETS: ReadonlySet<string> = new Set(["tail_call", "dynptr_write"]);

/** What the function that begins at an instruction may do, and all that it calls, on whatever path. */
function effectsOf(
  { insns, ...program }: Program,
  profile: Profile,
  facts: ProgramFacts,
  start: number,
): Effects {
  const starts = new Set([0, start, ...program.functions.map(({ insn }) => insn)]);
  const enters = insns.map((insn, pc): number | undefined => {
    const operation = insn?.row.operation;
    const enters =
      (operation?.kind === "call" && operation.callee === "subprogram") ||
      (operation?.kind === "ld_imm64" && operation.load === "func");
    return enters ? pc + 1 + (insn?.imm ?? 0) : undefined;
  });
  for (const to of enters) if (to !== undefined) starts.add(to);
  const ends = [...starts].sort((a, b) => a - b);
  let [changesPacket, sleeps, asksCaller] = [false, false, false];
  let throwsAt: number | undefined;
  const seen = new Set([start]);
  for (const from of seen) {
    const end = ends.find((other) => other > from) ?? insns.length;
    for (let pc = from; pc < end; pc += 1) {
      const to = enters[pc];
      if (to !== undefined) seen.add(to);
      const insn = insns[pc];
      const operation = insn?.row.operation;
      if (insn === undefined || operation?.kind !== "call") continue;
      if (operation.callee === "helper") {
        const helper = helperFacts(profile, insn.imm);
        changesPacket ||= helper?.changesPacket === true || MAY_CHANGE_PACKETS.has(helper?.name ?? "");
        asksCaller ||= OF_CALLER.has(helper?.name ?? "");
        sleeps ||= helperCall(profile, facts, insn.imm)?.prototype?.sleeps === true;
      } else if (operation.callee === "kfunc") {
        const name = program.kfuncs?.find(({ insn: at }) => at === pc)?.name;
        const kfunc = name === undefined ? undefined : kfuncFacts(profile, name);
        changesPacket ||= kfunc !== undefined && (movesPacket(kfunc) || mayWriteDynptr(kfunc));
        sleeps ||= kfunc?.flags.includes("sleepable") === true;
        if (name === "bpf_throw") throwsAt ??= pc;
      }
    }
  }
  return { changesPacket, sleeps, throwsAt, asksCaller };
}
