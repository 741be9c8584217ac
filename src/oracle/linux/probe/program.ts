/** The small programs that ask a kernel: instructions as bytes, and the ways in which a program of a type is loaded. */
import {
  ATTACH_TYPES,
  type AttachType,
  type LoadFlag,
  type ProgramType,
} from "../../../semantics/program/program-types.ts";
import type { BtfRecords } from "../btf-records.ts";
import type { Kernel } from "../calls.ts";
import { type LoadResult, loadRaw } from "../load.ts";
import type { KernelMap } from "../maps.ts";

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
  /** A value that the kernel lets such a program return. */
  readonly retval: number;
}

export interface Attempt {
  /** 0 for no log, 1 for the reasons, 2 for the states. */
  readonly logLevel?: 0 | 1 | 2;
  readonly license?: string;
  readonly maps?: readonly KernelMap[];
  readonly btf?: BtfRecords;
  /** What follows the instructions in place of `r0 = retval; exit`. */
  readonly end?: readonly Uint8Array[];
}

const MAY_SLEEP: readonly LoadFlag[] = ["sleepable"];

/** Loads a program; the caller closes what is accepted. */
export function load(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): LoadResult {
  const { type, attach, sleepable, target, retval } = kind;
  const { logLevel = 1, license = "GPL", maps, btf, end = [setImm(0, retval), EXIT] } = attempt;
  return loadRaw(
    {
      type,
      flags: sleepable === true ? MAY_SLEEP : [],
      license,
      insns: code([...insns, ...end]),
      ...(attach === undefined ? {} : { attach }),
      ...(target === undefined ? {} : { attachBtfId: target }),
      ...(maps === undefined ? {} : { maps }),
      ...(btf === undefined ? {} : { btf }),
    },
    { logLevel, kernel },
  );
}

/** Whether a program loads. */
export function loads(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): boolean {
  const result = load(kernel, kind, insns, { logLevel: 0, ...attempt });
  if (result.verdict === "accept") result.close();
  return result.verdict === "accept";
}

/** Why a program does not load; empty if it does. */
export function refusal(
  kernel: Kernel,
  kind: Kind,
  insns: readonly Uint8Array[],
  attempt: Attempt = {},
): string {
  const result = load(kernel, kind, insns, { logLevel: 1, ...attempt });
  if (result.verdict === "reject") return result.message;
  result.close();
  return "";
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
export function kindsOf(kernel: Kernel, type: ProgramType): TypeKinds {
  if (type === "unspec" || NEEDS_TARGET.has(type)) return { type, kinds: [], attachTypes: [] };
  const fresh = (sleepable: boolean, attach?: AttachType): Kind | undefined =>
    RETURN_VALUES.map(
      (retval): Kind => ({
        type,
        retval,
        ...(sleepable ? { sleepable } : {}),
        ...(attach === undefined ? {} : { attach }),
      }),
    ).find((kind) => loads(kernel, kind, []));
  const others = ATTACH_TYPES.slice(1);
  const accepted = others.filter((attach) => fresh(false, attach) ?? fresh(true, attach));
  const any = accepted.length === others.length;
  // Where the kernel takes any, those count that name the type; they may decide later, when the program is attached.
  const distinct = any ? accepted.filter((attach) => belongs(type, attach)) : accepted;
  const kinds = [undefined, ...distinct].flatMap((attach) =>
    [fresh(false, attach) ?? [], fresh(true, attach) ?? []].flat(),
  );
  return { type, kinds, attachTypes: any ? "any" : accepted };
}

/** Attach types that mean something to a type, beside those that begin with its name. */
const MEANT: Partial<Readonly<Record<ProgramType, readonly string[]>>> = {
  kprobe: ["trace_kprobe_", "trace_uprobe_"],
  sched_cls: ["tcx_", "netkit_"],
};

function belongs(type: ProgramType, attach: AttachType): boolean {
  return [type, ...(MEANT[type] ?? [])].some((prefix) => attach.startsWith(prefix));
}
