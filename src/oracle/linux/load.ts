/**
 * Loads programs into the running kernel, or another that is named, and says what its verifier answered. An accepted program owns descriptors: close it.
 *
 * The maps of a program are created anew for each load, unless the caller passes some that it keeps (to share them between programs, or to look
 * into them afterwards). BTF, function and line information are passed where the program carries them.
 */
import { attachTarget, type FoundTarget, needsTarget } from "../../object/attach-target.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { Capability } from "../../semantics/program/privileges.ts";
import type { Program } from "../../semantics/program/program.ts";
import {
  ATTACH_TYPES,
  type AttachType,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
  type ProgramType,
} from "../../semantics/program/program-types.ts";
import { kernelName, type Prepared, prepare } from "./bpf.ts";
import { type BtfRecords, btfRecords } from "./btf-records.ts";
import { call as callKernel, type Kernel } from "./calls.ts";
import { callWith } from "./capabilities.ts";
import { errnoText, KernelError } from "./errno.ts";
import { withKernelIds } from "./kernel-ids.ts";
import { parseKernelLog } from "./log.ts";
import { createMap, type KernelMap, word } from "./maps.ts";
import { objectOptionsFor } from "./object-options.ts";
import { THIS_MACHINE } from "./this-machine.ts";

export interface LoadOptions {
  /** Where to load (default: the running kernel). */
  readonly kernel?: Kernel;
  /** BPF_LOG_LEVEL1 1 (the default), BPF_LOG_LEVEL2 2 (a state after each instruction), BPF_LOG_STATS 4; 0 for no log, the fastest. */
  readonly logLevel?: number;
  /** Bytes of log kept at most (default 16 MiB): of a longer one the end on Linux 6.4 and later, the beginning before. */
  readonly logSize?: number;
  /** Whether to pass the program's BTF, if it has any (default true). */
  readonly withBtf?: boolean;
  /** Maps for the program's own, in the same order; they stay the caller's to close. */
  readonly maps?: readonly KernelMap[];
}

/** Instructions as bytes: what a `Program` comes down to. */
export interface RawProgram {
  readonly name?: string;
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly license?: string;
  readonly flags?: readonly LoadFlag[];
  /** Little-endian `struct bpf_insn`s; a 16-byte load of a map holds in `imm` an index into `maps`. */
  readonly insns: Uint8Array;
  readonly maps?: readonly KernelMap[];
  readonly btf?: BtfRecords;
  /** What programs attach to whose type needs a target, in the kernel's BTF. */
  readonly target?: FoundTarget;
  /** The capabilities with which it is loaded; absent for all. */
  readonly privileges?: readonly Capability[];
}

/** A program in the kernel. */
export interface Accepted {
  readonly verdict: "accept";
  readonly kernel: Kernel;
  readonly fd: number;
  readonly maps: readonly KernelMap[];
  readonly log: string;
  /** Instructions that the verifier processed, on all paths; absent without a log. */
  readonly processed?: number;
  /** Closes the program and the maps that were created for it. */
  readonly close: () => void;
}

export interface Refused {
  readonly verdict: "reject";
  /** What was refused: the program (by the verifier or before it), one of its maps, or its BTF. */
  readonly stage: "program" | "map" | "btf";
  /** `EACCES`, `EINVAL`, … */
  readonly errno: string;
  /** The last line of the log that gives a reason; the errno in words if there is none. */
  readonly message: string;
  readonly log: string;
  readonly processed?: number;
}

export type LoadResult = Accepted | Refused;

const DEFAULT_LOG_SIZE = 16 << 20;
const FIRST_LOG_SIZE = 1 << 18;
/** Where the reasons and the counts stand: characters at the log's end. */
const TAIL = 1 << 16;

/** @throws `Unsupported` for a program whose attach target the kernel does not have; `InputError` for maps whose data does not fit. */
export function loadProgram(program: Program, options: LoadOptions = {}): LoadResult {
  const { kernel = THIS_MACHINE } = options;
  const target = targetOf(program, kernel);
  const opened: { close: () => void }[] = [];
  let stage: Refused["stage"] = "btf";
  let result: LoadResult | undefined;
  try {
    const btf =
      options.withBtf === false || program.btf === undefined
        ? undefined
        : btfRecords(kernel, program.btf, program);
    if (btf !== undefined) opened.push(btf);
    stage = "map";
    const maps = options.maps ?? createMaps(kernel, program, btf?.fd, opened);
    stage = "program";
    const { name, type, attach, license, flags, privileges } = program;
    result = loadRaw(
      {
        name,
        type,
        license,
        flags,
        maps,
        insns: encode(withKernelIds(program, kernel)),
        ...(attach === undefined ? {} : { attach }),
        ...(privileges === undefined ? {} : { privileges }),
        ...(btf === undefined ? {} : { btf }),
        ...(target === undefined ? {} : { target }),
      },
      options,
    );
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    result = { verdict: "reject", stage, errno: error.errno, message: error.message, log: error.log };
  } finally {
    if (result?.verdict !== "accept") closeAll(opened);
  }
  if (result.verdict === "reject") return result;
  const { close } = result;
  return { ...result, close: () => closeAll([{ close }, ...opened]) };
}

/** What a program attaches to; `undefined` for the types that need nothing. */
function targetOf(program: Program, kernel: Kernel): FoundTarget | undefined {
  if (!needsTarget(program.type)) return undefined;
  const target = attachTarget(program, objectOptionsFor(kernel).targetBtf);
  if ("missing" in target) throw new Unsupported(target.missing);
  return target;
}

/** A program's maps with what they hold. @param opened  gets each as it is made, also if a later one is refused @throws KernelError  if one is; `Unsupported` as `createMap` */
export function createMaps(
  kernel: Kernel,
  program: Program,
  btf: number | undefined,
  opened: { close: () => void }[],
): readonly KernelMap[] {
  const maps = program.maps.map((definition) => {
    const map = createMap(definition, btf, kernel);
    opened.push(map);
    return map;
  });
  for (const map of maps) {
    const { type, holds = [] } = map.definition;
    // What a program array holds are other programs of the object: the caller's to load and put there.
    if (type === "prog_array") continue;
    for (const { index, name } of holds) {
      const held = maps.find(({ definition }) => definition.name === name);
      if (held !== undefined) map.update(word(index), word(held.fd));
    }
  }
  return maps;
}

function closeAll(resources: { close: () => void }[]): void {
  for (const resource of resources.splice(0)) resource.close();
}

/** Loads bytes. The caller keeps the maps and the BTF. */
export function loadRaw(program: RawProgram, options: LoadOptions = {}): LoadResult {
  const { kernel = THIS_MACHINE } = options;
  const loaded = loadWithLog(kernel, program, options);
  if (loaded.errno !== undefined) return refused(loaded.errno, loaded.log);
  const { result, log } = loaded;
  let open = true;
  const close = (): void => {
    if (open) kernel.close(result);
    open = false;
  };
  const maps = program.maps ?? [];
  return { verdict: "accept", kernel, fd: result, maps, log, close, ...processedOf(log) };
}

/** A program that was refused, from the errno and what the kernel wrote. */
export function refused(errno: string, log: string): Refused {
  const message = parseKernelLog(log.slice(-TAIL)).reasons.at(-1) ?? errnoText(errno);
  return { verdict: "reject", stage: "program", errno, message, log, ...processedOf(log) };
}

/** How many instructions were processed, as the log's end says. */
export function processedOf(log: string): { readonly processed?: number } {
  const { counts } = parseKernelLog(log.slice(-TAIL));
  return counts === undefined ? {} : { processed: counts.processed };
}

interface Loaded {
  readonly result: number;
  readonly errno?: string;
  readonly log: string;
}

/**
 * A log buffer that is too small makes the load fail with ENOSPC whatever the verdict: ask again with a larger one, at last without.
 */
function loadWithLog(kernel: Kernel, program: RawProgram, options: LoadOptions): Loaded {
  const level = options.logLevel ?? 1;
  const limit = options.logSize ?? DEFAULT_LOG_SIZE;
  if (level === 0) return load(kernel, program, 0, new Uint8Array(0));
  for (let size = Math.min(FIRST_LOG_SIZE, limit); ; size = Math.min(size * 8, limit)) {
    const loaded = load(kernel, program, level, logBuffer(size));
    if (loaded.errno !== "ENOSPC") return loaded;
    if (size >= limit) return { ...load(kernel, program, 0, new Uint8Array(0)), log: loaded.log };
  }
}

let spareLog = new Uint8Array(0);

/** One buffer for all loads: clearing a fresh one costs more than most loads. */
function logBuffer(size: number): Uint8Array {
  if (spareLog.length < size) spareLog = new Uint8Array(size);
  return spareLog.subarray(0, size);
}

/** How often a load is tried that a signal ends. */
const MOST_TRIES = 20;

function load(kernel: Kernel, program: RawProgram, level: number, log: Uint8Array): Loaded {
  const { privileges } = program;
  const once = () => {
    const { call, answer } = prepareLoad(kernel, program, level, log);
    return answer(
      privileges === undefined
        ? callKernel(kernel, call.number, call.arguments)
        : callWith(kernel, privileges, call.number, call.arguments),
    );
  };
  let { result, errno } = once();
  // A signal, such as a profiler's, ends the kernel's verification.
  for (let tries = 1; errno === "EAGAIN" && tries < MOST_TRIES; tries += 1) ({ result, errno } = once());
  const text = level === 0 ? "" : logText(log);
  return { result, log: text, ...(errno === undefined ? {} : { errno }) };
}

/** The call that loads a program. @param log where the kernel writes its log, unless the level is 0 */
export function prepareLoad(
  kernel: Kernel,
  program: RawProgram,
  level: number,
  log: Uint8Array,
): Prepared<"prog_load"> {
  const { type, attach, license = "GPL", flags = [], name = "", btf, target } = program;
  const insns = withDescriptors(kernel, program);
  return prepare(kernel, "prog_load", {
    prog_type: PROGRAM_TYPES.indexOf(type),
    insn_cnt: insns.length / 8,
    insns,
    license: new TextEncoder().encode(`${license}\0`),
    prog_flags: flags.reduce((bits, flag) => bits | LOAD_FLAGS[flag], 0),
    prog_name: kernelName(name),
    // The kernel takes a callback's place where other types have the attach type.
    expected_attach_type: target?.member ?? (attach === undefined ? 0 : ATTACH_TYPES.indexOf(attach)),
    attach_btf_id: target?.id ?? 0,
    ...(level === 0 ? {} : { log_level: level, log_size: log.length, log_buf: log }),
    ...btf?.attributes,
  });
}

/** What the kernel wrote: a text up to its first NUL. */
export function logText(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder("latin1").decode(log.subarray(0, end < 0 ? log.length : end));
}

const LD_IMM64 = 0x18;
/** `src_reg` of the 16-byte loads that hold a map descriptor: BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE. */
const PSEUDO_MAP = new Set([1, 2]);

/** A copy of the instructions with the maps' descriptors in place of their indices. */
function withDescriptors(kernel: Kernel, { insns, maps = [] }: RawProgram): Uint8Array {
  const foreign = maps.find((map) => map.kernel !== kernel);
  if (foreign !== undefined) {
    throw new Error(`map ${foreign.definition.name} is in ${foreign.kernel.name}, not in ${kernel.name}`);
  }
  const copy = insns.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 8 <= copy.length; at += 8) {
    if (view.getUint8(at) !== LD_IMM64) continue;
    if (PSEUDO_MAP.has(view.getUint8(at + 1) >> 4)) {
      // An index without a map goes to the kernel as no descriptor: it rejects the program.
      const index = view.getInt32(at + 4, true);
      view.setInt32(at + 4, maps[index]?.fd ?? -1, true);
    }
    at += 8;
  }
  return copy;
}
