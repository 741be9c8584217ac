/** The small programs that ask a kernel: instructions as bytes, and the ways in which a program of a type is loaded. */
import {
  ATTACH_TYPES,
  type AttachType,
  type LoadFlag,
  type ProgramType,
} from "../../../semantics/program/program-types.ts";
import type { Prepared } from "../bpf.ts";
import type { Kernel } from "../calls.ts";
import { logText, prepareLoad } from "../load.ts";
import { parseKernelLog } from "../log.ts";
import type { KernelMap } from "../maps.ts";
import { type Ask, all } from "./ask.ts";

/** One `struct bpf_insn`. */
export function insn(opcode: number, dst = 0, src = 0, off = 0, imm = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, opcode);
  view.setUint8(1, dst | (src << 4));
  view.setInt16(2, off, true);
  view.setInt32(4, imm, true);
  return new Uint8Array(view.buffer);
}

/** Instructions one after the other. */
export function code(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const EXIT = insn(0x95);
export const setImm = (register: number, value: number): Uint8Array => insn(0xb7, register, 0, 0, value);
export const copy = (to: number, from: number): Uint8Array => insn(0xbf, to, from);
export const addImm = (register: number, value: number): Uint8Array => insn(0x07, register, 0, 0, value);
export const callHelper = (id: number): Uint8Array => insn(0x85, 0, 0, 0, id);
/** A map's pointer, by its index among the maps of the load: two instructions. */
export const loadMap = (register: number, index: number): readonly [Uint8Array, Uint8Array] => [
  insn(0x18, register, 1, 0, index),
  insn(0),
];

/** A way of loading programs of a type. */
export interface Kind {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly sleepable?: true;
  /** What it attaches to, in the kernel's BTF, for types that need it. */
  readonly target?: number;
  /** The callback that the program stands for: its place in its structure, and `STRUCTURE/MEMBER`. */
  readonly callback?: { readonly index: number; readonly name: string };
  /** A value that the kernel lets such a program return. */
  readonly retval: number;
}

export interface Attempt {
  /** 0 for no log, 1 for the reasons, 2 for the states. */
  readonly logLevel?: 0 | 1 | 2;
  readonly license?: string;
  readonly maps?: readonly KernelMap[];
  /** What follows the instructions in place of `r0 = retval; exit`. */
  readonly end?: readonly Uint8Array[];
}

const MAY_SLEEP: readonly LoadFlag[] = ["sleepable"];

/** What the kernel says of a program; it is closed again. */
export interface Said {
  readonly accepted: boolean;
  /** The error's name; absent if the program was accepted. */
  readonly errno?: string;
  readonly log: string;
}

/** Bytes of log: the programs are short. */
const LOG_SIZE = 1 << 15;
const NO_LOG = new Uint8Array(0);

function prepared(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt,
): {
  load: Prepared<"prog_load">;
  log: Uint8Array;
} {
  const { type, attach, sleepable, target, callback, retval } = kind;
  const { logLevel = 1, license = "GPL", maps, end = [setImm(0, retval), EXIT] } = attempt;
  const log = logLevel === 0 ? NO_LOG : new Uint8Array(LOG_SIZE);
  const program = {
    type,
    flags: sleepable === true ? MAY_SLEEP : [],
    license,
    insns: code([...insns, ...end]),
    ...(attach === undefined ? {} : { attach }),
    ...(target === undefined
      ? {}
      : { target: { id: target, ...(callback === undefined ? {} : { member: callback.index }) } }),
    ...(maps === undefined ? {} : { maps }),
  };
  return { load: prepareLoad(kernel, program, logLevel, log), log };
}

/** Loads a program and closes it. @throws Error if its log is too long */
export function* load(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): Ask<Said> {
  const { load: loading, log } = prepared(kernel, kind, insns, attempt);
  // What was refused has no descriptor, and closing it does nothing.
  const [outcome] = yield [loading.call, { number: closeNumber(kernel), arguments: [{ resultOf: 0 }] }];
  if (outcome === undefined) throw new Error(`${kernel.name} left out an answer`);
  const { errno } = loading.answer(outcome);
  if (errno === "ENOSPC")
    throw new Error(`${kernel.name} has more to say of a small program than ${LOG_SIZE} bytes`);
  return { accepted: errno === undefined, ...(errno === undefined ? {} : { errno }), log: logText(log) };
}

/** The descriptor of a program, for the caller to close; `undefined` if it is refused. */
export function* open(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): Ask<number | undefined> {
  const { load: loading } = prepared(kernel, kind, insns, { ...attempt, logLevel: 0 });
  const [outcome] = yield [loading.call];
  return outcome === undefined || outcome.result < 0 ? undefined : outcome.result;
}

const CLOSE: Readonly<Record<string, number>> = { x64: 3, arm64: 57, riscv64: 57, loong64: 57 };

/** The number of close(2). */
export function closeNumber({ arch }: Kernel): number {
  const number = CLOSE[arch];
  if (number === undefined) throw new Error(`close(2) on ${arch} is not known`);
  return number;
}

/** Whether a program loads. */
export function* loads(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): Ask<boolean> {
  return (yield* load(kernel, kind, insns, { logLevel: 0, ...attempt })).accepted;
}

/** Why a program does not load: the kernel's last reason; empty if it does. */
export function* refusal(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): Ask<string> {
  const { accepted, log } = yield* load(kernel, kind, insns, attempt);
  return accepted ? "" : (parseKernelLog(log).reasons.at(-1) ?? "");
}

// --- Kinds

/** Values one of which every program type that was met lets its programs return. */
const RETURN_VALUES = [0, 1];

/** Types whose programs attach to something in the kernel's BTF. */
const NEEDS_TARGET: ReadonlySet<ProgramType> = new Set(["tracing", "lsm", "ext", "struct_ops"]);

export interface TypeKinds {
  readonly type: ProgramType;
  /** The default first. */
  readonly kinds: readonly Kind[];
  readonly attachTypes: readonly AttachType[] | "any";
}

/**
 * The ways in which programs of the type load, of those that need no target. Empty if none does. The attach type of number 0 is the same as
 * none.
 */
export function* kindsOf(kernel: Kernel, type: ProgramType): Ask<TypeKinds> {
  if (type === "unspec" || NEEDS_TARGET.has(type)) return { type, kinds: [], attachTypes: [] };
  const tried = [undefined, ...ATTACH_TYPES.slice(1)];
  const found = yield* all(
    tried.flatMap((attach) => {
      const base = { type, ...(attach === undefined ? {} : { attach }) };
      return [loadable(kernel, base), loadable(kernel, { ...base, sleepable: true })];
    }),
  );
  const loaded = found.flatMap((kind) => kind ?? []);
  const accepted = tried
    .slice(1)
    .flatMap((attach) => (loaded.some((kind) => kind.attach === attach) ? [attach ?? []].flat() : []));
  const any = accepted.length === tried.length - 1;
  const unchecked = accepted.length > MOST_MEANT;
  const kinds = loaded.filter(({ attach }) => attach === undefined || !unchecked || belongs(type, attach));
  return { type, kinds, attachTypes: any ? "any" : accepted };
}

/** The kind, with a value that its programs may return; `undefined` if none loads. */
export function* loadable(kernel: Kernel, base: Omit<Kind, "retval">): Ask<Kind | undefined> {
  for (const retval of RETURN_VALUES) {
    if (yield* loads(kernel, { ...base, retval }, [])) return { ...base, retval };
  }
  return undefined;
}

/**
 * Where the kernel takes more attach types than this for a type, it does not look at them when a program is loaded, but for some that it takes
 * with few types: those count that name the type, for they may decide when the program is attached.
 */
const MOST_MEANT = 24;

/** Attach types that mean something to a type, beside those that begin with its name. */
const MEANT: Partial<Readonly<Record<ProgramType, readonly string[]>>> = {
  kprobe: ["trace_kprobe_", "trace_uprobe_"],
  sched_cls: ["tcx_", "netkit_"],
};

function belongs(type: ProgramType, attach: AttachType): boolean {
  return [type, ...(MEANT[type] ?? [])].some((prefix) => attach.startsWith(prefix));
}
