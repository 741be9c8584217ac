/**
 * Asks the running kernel, by small programs, what each program type may do: which helpers it may call, and which accesses to its
 * context are accepted and what they give. The answers make a profile (`profiles/`), one file a kernel.
 */
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import {
  ATTACH_TYPES,
  type AttachType,
  type LoadFlag,
  PROGRAM_TYPES,
  type ProgramType,
} from "../../semantics/program/program-types.ts";
import { type LoadResult, loadRaw } from "./load.ts";
import { parseKernelLog } from "./log.ts";

/** Under what a program is loaded. */
interface Kind {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly flags: readonly LoadFlag[];
  /** A value that the kernel lets such a program return. */
  readonly retval: number;
}

/** Accesses of one size in ascending order: a kind of value, and the offsets `first`, `first + size`, … `last` that give it. */
export type Run = readonly [kind: string, first: number, last: number];

export interface ContextProfile {
  /** By access size in bytes. */
  readonly read: Readonly<Record<string, readonly Run[]>>;
  /** The kind is `scalar` throughout: that is what was written. */
  readonly write: Readonly<Record<string, readonly Run[]>>;
}

export interface HelperProfile {
  /** Ids that a program of the kind may call at all. */
  readonly allowed: readonly number[];
  /** Of these, the ones that only a program with a GPL-compatible license may call. */
  readonly gpl: readonly number[];
  /** Of these, the ones that only a sleepable program may call. */
  readonly sleepable: readonly number[];
}

export interface Profile {
  /** By `type` for the first attach type that loads, and by `type/attach` for others that differ from it. */
  readonly helpers: Readonly<Record<string, HelperProfile>>;
  readonly contexts: Readonly<Record<string, ContextProfile>>;
}

const SIZES: readonly Size[] = [1, 2, 4, 8];

/** How far contexts are searched, in bytes: the longest by far is a tracepoint's record, of one page pair. */
const LONG = 8192 + 16;
const SHORT = 512;

export function probeKernel(): Profile {
  const helpers: Record<string, HelperProfile> = {};
  const contexts: Record<string, ContextProfile> = {};
  for (const type of PROGRAM_TYPES) {
    const [first, ...others] = loadableKinds(type);
    if (first === undefined) continue;
    helpers[type] = probeHelpers(first);
    contexts[type] = probeContext(first);
    for (const kind of others) {
      const name = `${type}/${kind.attach}`;
      const itsHelpers = probeHelpers(kind);
      if (!same(itsHelpers, helpers[type])) helpers[name] = itsHelpers;
      const itsContext = probeContext(kind);
      if (!same(itsContext, contexts[type])) contexts[name] = itsContext;
    }
  }
  return { helpers, contexts };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The ways in which a program of the type loads. Where any attach type does, only those count that belong to the type by name. */
function loadableKinds(type: ProgramType): Kind[] {
  const kinds: Kind[] = [];
  const flags: readonly LoadFlag[] = type === "syscall" ? ["sleepable"] : [];
  for (const attach of [undefined, ...ATTACH_TYPES]) {
    if (
      attach !== undefined &&
      kinds[0]?.attach === undefined &&
      kinds.length > 0 &&
      !belongs(type, attach)
    ) {
      continue;
    }
    for (const retval of [0, 1]) {
      const kind = { type, flags, retval, ...(attach === undefined ? {} : { attach }) };
      if (!loads(kind, [])) continue;
      kinds.push(kind);
      break;
    }
  }
  return kinds;
}

function belongs(type: ProgramType, attach: AttachType): boolean {
  return attach.startsWith(type) || (type.startsWith("cgroup_sock") && attach.startsWith("cgroup_"));
}

function loads(kind: Kind, insns: readonly Uint8Array[]): boolean {
  const result = load(kind, insns, 0);
  if (result.verdict === "accept") result.close();
  return result.verdict === "accept";
}

function load(kind: Kind, insns: readonly Uint8Array[], logLevel: number, license = "GPL"): LoadResult {
  const { type, attach, flags, retval } = kind;
  return loadRaw(
    {
      type,
      flags,
      license,
      insns: Buffer.concat([...insns, insn(0xb7, 0, 0, 0, retval), insn(0x95)]),
      ...(attach === undefined ? {} : { attach }),
    },
    { logLevel },
  );
}

function insn(opcode: number, dst = 0, src = 0, off = 0, imm = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, opcode);
  view.setUint8(1, dst | (src << 4));
  view.setInt16(2, off, true);
  view.setInt32(4, imm, true);
  return new Uint8Array(view.buffer);
}

// --- Helpers

const FORBIDDEN = [
  /^program of this type cannot use helper/,
  /^(unknown|invalid) func/,
  /not supported for program type/,
];
const GPL_ONLY = /^cannot call GPL-restricted function/;
const SLEEPS = /might sleep in a non-sleepable/;

/** Calls each helper with whatever the registers hold: what the kernel says about the arguments tells that the call itself is allowed. */
function probeHelpers(kind: Kind): HelperProfile {
  const allowed: number[] = [];
  const gpl: number[] = [];
  const sleepable: number[] = [];
  const answer = (id: number, license: string): string => {
    const result = load(kind, [insn(0x85, 0, 0, 0, id)], 1, license);
    if (result.verdict === "reject") return result.message;
    result.close();
    return "";
  };
  for (const id of HELPER_NAMES.keys()) {
    const message = answer(id, "GPL");
    if (id === 0 || FORBIDDEN.some((pattern) => pattern.test(message))) continue;
    allowed.push(id);
    if (SLEEPS.test(message)) sleepable.push(id);
    if (GPL_ONLY.test(answer(id, "Proprietary"))) gpl.push(id);
  }
  return { allowed, gpl, sleepable };
}

// --- Contexts

const LOAD_OPCODES: Readonly<Record<Size, number>> = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 };
const STORE_OPCODES: Readonly<Record<Size, number>> = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b };

function probeContext(kind: Kind): ContextProfile {
  const end = kind.type.includes("tracepoint") ? LONG : SHORT;
  const read: Record<string, readonly Run[]> = {};
  const write: Record<string, readonly Run[]> = {};
  for (const size of SIZES) {
    read[size] = runs(size, end, (off) => readKind(kind, size, off));
    write[size] = runs(size, end, (off) => {
      const store = [insn(0xb7, 2), insn(STORE_OPCODES[size], 1, 2, off)];
      return loads(kind, store) ? "scalar" : undefined;
    });
  }
  return { read, write };
}

/** What kind of value a read gives, in the kernel's word for the register's type; `undefined` if the kernel refuses it. */
function readKind(kind: Kind, size: Size, off: number): string | undefined {
  const insns = [insn(LOAD_OPCODES[size], 2, 1, off)];
  if (!loads(kind, insns)) return undefined;
  const result = load(kind, insns, 2);
  if (result.verdict === "accept") result.close();
  const after = parseKernelLog(result.log).steps[0]?.after ?? "";
  return /R2(?:_w)?=([a-z_]+)/.exec(after)?.[1] ?? "scalar";
}

/** @throws Error if an access is accepted that is not aligned to its size: the runs could not say so. */
function runs(size: Size, end: number, kindAt: (off: number) => string | undefined): Run[] {
  const found: [string, number, number][] = [];
  for (let off = 0; off < end; off++) {
    const kind = kindAt(off);
    if (kind === undefined) continue;
    if (off % size !== 0) throw new Error(`an access of ${size} bytes at ${off} is accepted`);
    const last = found.at(-1);
    if (last !== undefined && last[0] === kind && last[2] + size === off) last[2] = off;
    else found.push([kind, off, off]);
  }
  return found;
}
