/**
 * A profile: what one kernel permits programs to do, as it answered when probed (`soundcheck probe`, `profiles/`). Everything in which
 * kernels differ and that is not a rule of the verifier itself is here: helpers and their prototypes, contexts, map types, return values,
 * instructions, kernel functions. `lookup.ts` answers questions from it, `schema.ts` reads one from JSON, whose form is this.
 *
 * Names are the kernel's own, in lower case and without the prefix of their enumeration (`ARG_PTR_TO_MAP_KEY` is `map_key`): the numbers differ
 * between kernels. What kernels call by different names has one name here: where a part changed its name, that of 6.18.
 */
import type { Size } from "../isa/instruction.ts";
import type { MapType } from "../program/map-types.ts";
import type { AttachType, ProgramType } from "../program/program-types.ts";

/** What an argument of a helper must be: `enum bpf_arg_type` without its flags. */
export const ARGUMENT_KINDS = [
  "const_map_ptr",
  "map_key",
  "map_value",
  "mem",
  "arena",
  "const_size",
  "const_size_or_zero",
  "ctx",
  "anything",
  "scalar",
  "spin_lock",
  "sock_common",
  "socket",
  "btf_id",
  "ringbuf_mem",
  "const_alloc_size_or_zero",
  "btf_id_sock_common",
  "percpu_btf_id",
  "func",
  "stack",
  "const_str",
  "timer",
  "kptr_xchg_dest",
  "dynptr",
] as const;
export type ArgumentKind = (typeof ARGUMENT_KINDS)[number];

/** What a helper returns: `enum bpf_return_type` without its flags. */
export const RETURN_KINDS = [
  "integer",
  "void",
  "map_value",
  "socket",
  "tcp_sock",
  "sock_common",
  "mem",
  "mem_or_btf_id",
  "btf_id",
] as const;
export type ReturnKind = (typeof RETURN_KINDS)[number];

/** `enum bpf_type_flag`: what more is said of an argument, a result or a pointer. */
export const TYPE_FLAGS = [
  "ptr_maybe_null",
  "ptr_untrusted",
  "ptr_trusted",
  "mem_rdonly",
  "mem_write",
  "mem_uninit",
  "mem_fixed_size",
  "mem_aligned",
  "mem_ringbuf",
  "mem_user",
  "mem_percpu",
  "mem_alloc",
  "mem_rcu",
  "non_own_ref",
  "obj_release",
  "dynptr_type_local",
  "dynptr_type_ringbuf",
  "dynptr_type_skb",
  "dynptr_type_xdp",
  "dynptr_type_skb_meta",
  "dynptr_type_file",
] as const;
export type TypeFlag = (typeof TYPE_FLAGS)[number];

export interface Argument {
  readonly kind: ArgumentKind;
  readonly flags?: readonly TypeFlag[];
  /** Bytes of memory of a fixed size (`mem_fixed_size`). */
  readonly size?: number;
  /** The kernel's structure that a `btf_id` points to. */
  readonly type?: string;
}

export interface Return {
  readonly kind: ReturnKind;
  readonly flags?: readonly TypeFlag[];
  readonly type?: string;
}

/** One of the forms in which a helper exists: the same helper may take other arguments in other types of programs. */
export interface Prototype {
  /** The kernel's function. */
  readonly func: string;
  readonly args: readonly Argument[];
  readonly returns: Return;
  /** For programs with a GPL-compatible license only. */
  readonly gplOnly?: true;
  /** Packet pointers may be passed as memory. */
  readonly packetMemory?: true;
  /** Only where sleeping is allowed: a sleepable program, outside of RCU and lock sections. */
  readonly sleeps?: true;
  /** Registers r1 to r5 keep their values if the program does not rely on the contrary (`bpf_fastcall`). */
  readonly fastcall?: true;
}

export interface HelperFacts {
  /** The number in the call's `imm`. */
  readonly id: number;
  /** Without `bpf_`. */
  readonly name: string;
  /** Packet pointers are stale after the call: the helper may move or resize the packet. */
  readonly changesPacket?: true;
  /** The map types that the map argument may have; absent if the helper takes no map, or any. */
  readonly maps?: readonly MapType[];
  /** The first is what a program gets if `HelperSet.prototypes` does not say otherwise. Empty if no program may call it. */
  readonly prototypes: readonly Prototype[];
}

/** Helpers that programs of one kind may call. */
export interface HelperSet {
  /** Ids as ranges: `1-3 5`. For programs of any license. */
  readonly everybody: string;
  /** For programs with a GPL-compatible license. */
  readonly gplOnly: string;
  /** The index in `HelperFacts.prototypes` by helper id, where it is not 0; -1 where the prototype could not be found out. */
  readonly prototypes?: Readonly<Record<string, number>>;
}

/** What a load from a field of a context gives. */
export const CONTEXT_VALUES = [
  "scalar",
  "packet",
  "packet_end",
  "packet_meta",
  "flow_keys",
  "socket",
  "sock_common",
  "tcp_sock",
  "xdp_sock",
  "tp_buffer",
  "btf_id",
  "buffer",
  "mem",
] as const;
export type ContextValue = (typeof CONTEXT_VALUES)[number];

export interface ContextField {
  /** The structure's member, or the offset where the structure names none. */
  readonly name: string;
  /** Bytes from the start of the context. */
  readonly offset: number;
  /** Bytes; an array is one field. */
  readonly size: number;
  readonly value: ContextValue;
  readonly flags?: readonly TypeFlag[];
  /** The kernel's structure that a `btf_id` points to. */
  readonly type?: string;
  /** The program holds a reference of the object from its start on, and has to give it back. */
  readonly held?: true;
  /** Sizes in bytes that may be read: anywhere in the field where the access is aligned to its own size, or anywhere if the context says so. */
  readonly reads: readonly Size[];
  /** The same for writes. */
  readonly writes: readonly Size[];
}

export interface Context {
  /** The structure's name in C. */
  readonly struct: string;
  /** Bytes that the fields span. */
  readonly size: number;
  /** Accesses need not be aligned to their size. */
  readonly anyAlignment?: true;
  /** Sorted by offset. What a kernel permits for a part of a member only is a field of its own: an access is permitted if any field permits it. */
  readonly fields: readonly ContextField[];
}

/** What programs of one kind may do: a type, where it matters with the expected attach type, and `sleepable`. */
export interface ProgramFacts {
  readonly type: ProgramType;
  /** Absent for the type's default. */
  readonly attach?: AttachType;
  /** `STRUCTURE/MEMBER` of the callback that a `struct_ops` program of the kind stands for; others may have the same facts (`Profile.callbacks`). */
  readonly callback?: string;
  readonly sleepable?: true;
  /** The name of its context in `Profile.contexts`; absent if the arguments are those of a kernel function that the program attaches to. */
  readonly context?: string;
  /** What may be done through the packet pointers that the context gives. */
  readonly packet: "none" | "read" | "write";
  /** The values that r0 may have at the end, both ends included, signed; absent if any. */
  readonly returns?: readonly [least: number, greatest: number];
  /** r0 means nothing at the end. */
  readonly noResult?: true;
  /** Functions with frames of `Limits.privateStack` bytes or more have stacks of their own, unless the program has a tail call. */
  readonly privateStack?: true;
  /** Objects of the kernel that may be written, by structure: the name, in `Profile.contexts`, of the fields. Absent for none. */
  readonly writes?: Readonly<Record<string, string>>;
  readonly helpers: HelperSet;
  /** Map types that the kind may not refer to at all. */
  readonly forbiddenMaps?: readonly MapType[];
  /** Map types that helpers take in programs of other kinds and not of this one, by helper id. */
  readonly mapsWithout?: Readonly<Record<string, readonly MapType[]>>;
}

export interface MapFacts {
  readonly type: MapType;
  /** Sizes in bytes of a key, a value, and numbers of entries with which a map was created; flags that it took. */
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly flags: number;
  /** The structure of the kernel that a pointer to such a map points to, which programs may read; absent if they may not. */
  readonly struct?: string;
}

/** Flags of kernel functions (`KF_…` in linux/btf.h), in the order of their bits. */
export const KFUNC_FLAGS = [
  "acquire",
  "release",
  "ret_null",
  "kptr_get",
  "trusted_args",
  "sleepable",
  "destructive",
  "rcu",
  "iter_new",
  "iter_next",
  "iter_destroy",
  "rcu_protected",
  "fastcall",
  "arena_ret",
  "arena_arg1",
  "arena_arg2",
  "implicit_args",
  "spinlock_safe",
  "perfmon",
] as const;
export type KfuncFlag = (typeof KFUNC_FLAGS)[number];

/** A parameter or result of a kernel function, from BTF. */
export interface KfuncValue {
  /** The parameter's name: its end carries meaning (`__sz`, `__k`, `__ign`, `__nullable`, `__str`, …). Absent for the result. */
  readonly name?: string;
  readonly kind: "void" | "scalar" | "pointer" | "struct";
  /** Bytes of the scalar or structure, or of what is pointed to (absent if that has no size). */
  readonly size?: number;
  readonly signed?: true;
  /** What is pointed to: `struct …`, `union …`, `func` for a function, `pointer`, `void`, or the scalar's type. */
  readonly to?: string;
  readonly const?: true;
  /** What is pointed to holds nothing but numbers, so that it may be any memory of its size. */
  readonly plain?: true;
}

export interface KfuncFacts {
  readonly name: string;
  readonly flags: readonly KfuncFlag[];
  readonly args: readonly KfuncValue[];
  readonly returns: KfuncValue;
  /** Packet pointers are stale after the call. */
  readonly changesPacket?: true;
  /** Who may call it, by the place in `Profile.callers`. */
  readonly callers: number;
}

/** Rules of the verifier in which kernels differ: what those accept whose profile names it, and others refuse. */
export const ALLOWANCES = [
  /** Without `cap_perfmon`: to compare what may be null with a register that is null. */
  "null_registers",
  /** RCU read sections inside of others. */
  "nested_rcu",
  /** Maps with timers in programs of tracing. */
  "timers_in_tracing",
  /** Maps with work queues in programs of tracing. */
  "work_queues_in_tracing",
  /** Pointers to dynptrs that the kernel keeps, and to the records of tracepoints, loaded from the stack where the program has stored them. */
  "spilled_pointers",
  /** Slices of a packet, and those that are only read, when their dynptr was overwritten. */
  "lasting_slices",
  /** Tags of global functions' arguments (`arg:nonnull` and others); who does not allow them does not look at them. */
  "argument_tags",
  /** Calls of global functions without a result. */
  "void_functions",
  /** Types of the program's own of which objects may own others of their type, in chains of any length; who does not allow them takes no BTF that has some. */
  "own_chains",
] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/**
 * In what words, and in which order, kernels refuse what all of them refuse. Without a name of these the words of Linux 6.18 hold; a profile names those in
 * which its kernel speaks otherwise.
 */
export const WORDINGS = [
  /** An argument that a function does not take is named by its register, `R1`, not by its place, `arg#0`. */
  "argument_registers",
  /** What a helper or kernel function gives back must be held: that is looked at before the pointer's type, and said with the function's name. */
  "release_first",
  /** Functions that call themselves, or each other, are refused before any instruction is followed: `recursive call from a() to b()`, EINVAL. */
  "recursion",
  /** An allocation of a size that is not known: `R2 is not a const`, EINVAL. */
  "constant_size",
  /** A pointer that a constant has moved in front of its object has a negative least value; otherwise it is outside of the memory. */
  "negative_constant",
  /** Whether a load with acquire is possible at all is looked at before its alignment and bounds. */
  "atomic_first",
  /** In programs that handle packets, a store to an object of the kernel is told with its place: `cannot write into ptr_task_struct at off=0 size=4`. */
  "object_stores",
  /** `Program of this type cannot be sleepable`, without a list of those that can be. */
  "sleepable",
  /** Of what is no dynptr that owns memory it is said what is there: `Expected an initialized dynptr`, `CONST_PTR_TO_DYNPTR cannot be released`. */
  "dynptr_releases",
] as const;
export type Wording = (typeof WORDINGS)[number];

export interface Limits {
  /** The most instructions in a program of a privileged user. */
  readonly insns: number;
  /** The most bytes of stack over a chain of calls. */
  readonly stack: number;
  /** A frame of so many bytes or more, rounded up to 16, is not counted among them in programs with `ProgramFacts.privateStack`; absent if there are none. */
  readonly privateStack?: number;
  /** A program of a privileged user may read bytes of the stack that it has not written: any numbers. */
  readonly uninitialisedStack: boolean;
  /** The most frames in a chain of calls. */
  readonly frames: number;
  /** The most instructions processed on all paths. */
  readonly processed: number;
}

/** Helpers, by ids as ranges, that programs have only if their loader has a capability, whatever their type. */
export interface NeededCapabilities {
  readonly bpf: string;
  readonly perfmon: string;
}

/**
 * The kind that programs are of which stand for a callback, by its name in `Profile.programs`; absent where none load. Neither is there for callbacks
 * that no program may stand for.
 */
export interface CallbackKinds {
  readonly plain?: string;
  readonly sleepable?: string;
  /** Programs may stand for it, and none that was tried: such as hold a reference from their start on, which they have to give back. */
  readonly unknown?: true;
}

/** What a pointer among the arguments is of what a program attaches to: to an object of its type, or to bytes. */
export interface ArgumentPointer {
  readonly value: "btf_id" | "buffer";
  readonly flags?: readonly TypeFlag[];
}

/** The values that r0 may have at the end, both ends included. */
export type TargetReturns = readonly [least: number, greatest: number] | "any";

/** In what the targets differ that programs of an attach type attach to. */
export interface TargetFacts {
  /** The targets of which the kernel was asked and which it does not refuse: names, with a space between any two. Of others nothing is known. */
  readonly known: string;
  /** The pointers among the arguments: what most are, and by target and number what others are. */
  readonly usual: ArgumentPointer;
  readonly others: Readonly<Record<string, Readonly<Record<string, ArgumentPointer>>>>;
  /** The values that r0 may have at the end, where they are others than `ProgramFacts.returns`. */
  readonly returns?: Readonly<Record<string, TargetReturns>>;
  /** What the kernel says that targets point to which it refuses: "disabled hook". */
  readonly refused?: Readonly<Record<string, string>>;
}

/** What programs attach to of the kernel's functions: names, with a space between any two. */
export interface FunctionTargets {
  /** In the kernel's BTF, and nowhere to be found in the kernel. */
  readonly missing: string;
  /** Closed to all programs. */
  readonly closed: string;
  /** Those whose result programs may replace (`modify_return`). */
  readonly modifiable: string;
  /** Those in which programs may sleep, and hooks (`bpf_lsm_…`) likewise. */
  readonly sleepable: string;
}

export interface Profile {
  /** `6.18`. */
  readonly kernel: string;
  /** As uname(2) says. */
  readonly release: string;
  /** Node's name of the architecture: `x64`. */
  readonly arch: string;
  readonly limits: Limits;
  /** Names of the rows of the instruction table that the kernel does not know. */
  readonly unknownInstructions: readonly string[];
  /** Whether a constant may be stored to a context (BPF_ST), or registers only. */
  readonly contextStoresImmediate: boolean;
  readonly allows: readonly Allowance[];
  readonly words: readonly Wording[];
  /** Absent if the kernel was not asked, or refuses what only a processor's guess leads to, as those before 6.18 do. */
  readonly capabilities?: NeededCapabilities;
  /** Functions of the kernel as targets. Absent if it lets no program attach to functions. */
  readonly functions?: FunctionTargets;
  /** Of what programs attach to, by attach type. */
  readonly targets?: Partial<Readonly<Record<AttachType, TargetFacts>>>;
  /** Sorted by id. */
  readonly helpers: readonly HelperFacts[];
  readonly contexts: Readonly<Record<string, Context>>;
  /**
   * The kinds that load, by `type`, by `type/attach` where that differs from the type's default, by `type/structure/member` for callbacks, and
   * `+sleepable` behind any of these.
   */
  readonly programs: Readonly<Record<string, ProgramFacts>>;
  /** Structures of callbacks that programs may implement (`struct_ops`), and their callbacks by name. Absent if the kernel was not asked. */
  readonly callbacks?: Readonly<Record<string, Readonly<Record<string, CallbackKinds>>>>;
  /** The expected attach types that a program of the type may have beside none; `any` where the kernel does not look. */
  readonly attachTypes: Readonly<Record<string, readonly AttachType[] | "any">>;
  readonly maps: readonly MapFacts[];
  /**
   * Who may call kernel functions: program types of which all kinds may, and single kinds by their name in `programs`. Most functions are for
   * one of a few such groups.
   */
  readonly callers: readonly (readonly string[])[];
  /** Sorted by name. */
  readonly kfuncs: readonly KfuncFacts[];
}
