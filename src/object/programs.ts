/**
 * Reads a compiled object into programs. What is wrong with the file as a whole is an `InputError`; what is wrong with one program leaves
 * the others usable and is told in `failures`.
 */
import { InputError, Unsupported } from "../semantics/errors.ts";
import { MAP_FLAGS } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { type Btf, readBtf } from "./btf.ts";
import { readBtfExt } from "./btf-ext.ts";
import { settleBtf } from "./btf-settle.ts";
import { CoreRelocator } from "./core.ts";
import { type ElfFile, readElf } from "./elf.ts";
import { type Extern, kconfigData, readExterns } from "./externs.ts";
import { type FunctionFailure, type ObjectFunction, readFunctions } from "./functions.ts";
import { link, type Piece, type Surroundings } from "./link.ts";
import { readMaps } from "./maps.ts";
import type { ObjectMap } from "./object-map.ts";
import { ownTypes } from "./own-types.ts";
import { references, type Targets } from "./relocate.ts";
import { sectionMeaning } from "./sections.ts";
import { type CallbackTargets, readCallbacks } from "./struct-ops.ts";

export interface ObjectOptions {
  /** The BTF of the kernel that CO-RE relocations and kernel functions are resolved against. */
  readonly targetBtf?: Btf | undefined;
  /** The kernel's configuration by name, values as in its `.config`; `LINUX_KERNEL_VERSION` among them. */
  readonly kconfig?: ReadonlyMap<string, string> | undefined;
  /** Addresses of the kernel's symbols by name, as /proc/kallsyms has them: more than one where it has more than one of the name. */
  readonly symbols?: ReadonlyMap<string, readonly bigint[]> | undefined;
  /** The type of programs in sections whose names say nothing. */
  readonly defaultType?: ProgramType;
}

export interface ObjectFile {
  /** In file order. */
  readonly programs: readonly Program[];
  /** Programs that cannot be built, with the reason in one line. */
  readonly failures: readonly FunctionFailure[];
}

/** All programs of a file together; keeps a small hostile file from asking for endless copies of one subprogram. */
const MOST_SLOTS = 8_000_000;

/** Reads an object in either byte order. */
export function readObject(bytes: Uint8Array, options: ObjectOptions = {}): ObjectFile {
  const elf = readElf(bytes);
  const typeSection = elf.section(".BTF");
  const local = typeSection === undefined ? undefined : readBtf(typeSection.data.bytes);
  const extSection = elf.section(".BTF.ext");
  const records =
    local === undefined || extSection === undefined ? new Map() : readBtfExt(extSection.data.bytes, local);
  const btf = local === undefined ? undefined : settleBtf(elf, local);
  const { functions, failures } = readFunctions(elf, records);
  const externs = local === undefined ? new Map<string, Extern>() : readExterns(elf, local);
  const kconfig = local === undefined ? undefined : kconfigMap(local, btf, externs, options);
  const around = surroundings(elf, functions, readMaps(elf, btf), externs, kconfig, btf, options);

  const license = elf.section("license")?.data;
  const common = {
    license: license === undefined || license.size === 0 ? "" : license.text(0),
    ...(btf === undefined ? {} : { btf: btf.raw, ownTypes: ownTypes(btf) }),
  };
  const callbacks = readCallbacks(elf, btf);
  const programs: Program[] = [];
  const failed = [...failures];
  let slots = 0;
  for (const entry of functions) {
    if (!entry.entry) continue;
    const program = attempt(entry, around, options, common, callbacks);
    if ("message" in program) failed.push(program);
    else {
      slots += program.insns.length;
      if (slots > MOST_SLOTS) throw new InputError(`more than ${MOST_SLOTS} instructions in all programs`);
      programs.push(program);
    }
  }
  return { programs, failures: failed };
}

function attempt(
  entry: ObjectFunction,
  around: Surroundings,
  options: ObjectOptions,
  common: Pick<Program, "license" | "btf" | "ownTypes">,
  callbacks: CallbackTargets,
): Program | FunctionFailure {
  const section = entry.section.name;
  const meaning =
    sectionMeaning(section) ??
    (options.defaultType === undefined ? undefined : { type: options.defaultType, flags: [] });
  if (meaning === undefined) {
    return { name: entry.name, message: `section ${section}: its name does not tell the program's type` };
  }
  try {
    const program = { name: entry.name, section, ...meaning, ...common, ...link(entry, around) };
    if (meaning.type !== "struct_ops") return program;
    // The section's name says no more than the program's does.
    const { target: _, ...rest } = program;
    const target = callbacks.targetOf(entry.section.index, entry.offset);
    return target === undefined ? rest : { ...rest, target };
  } catch (error) {
    if (error instanceof InputError || error instanceof Unsupported) {
      return { name: entry.name, message: error.message };
    }
    throw error;
  }
}

/** Where compilers put variables of address space 1. */
const ARENA_VARIABLES = ".addr_space.1";

function surroundings(
  elf: ElfFile,
  functions: readonly ObjectFunction[],
  maps: readonly ObjectMap[],
  externs: ReadonlyMap<string, Extern>,
  kconfig: KconfigMap | undefined,
  btf: Btf | undefined,
  options: ObjectOptions,
): Surroundings {
  const begins = new Map(functions.map((f) => [`${f.section.index}:${f.offset}`, f]));
  const mapAt = new Map(maps.map((m) => [m.global ? `${m.section}` : `${m.section}:${m.offset}`, m]));
  const arenaSections = new Set(
    elf.sections.flatMap(({ name, index }) => (name === ARENA_VARIABLES ? [index] : [])),
  );
  const targets: Targets = {
    map: (section, offset) => mapAt.get(`${section}`) ?? mapAt.get(`${section}:${offset}`),
    externs,
    function: (section, offset) => begins.get(`${section}:${offset}`),
    isArena: (section) => arenaSections.has(section),
    arena: maps.find(({ definition }) => definition.type === "arena"),
  };
  const mapNames = new Map(maps.map((m) => [m.definition.name, m]));
  const pieces = new Map<ObjectFunction, Piece>();
  // The kernel's types are asked for where something needs them: reading them takes longer than most objects.
  let core: CoreRelocator | undefined;
  return {
    btf,
    mapNamed: (name) => mapNames.get(name),
    subprogramNamed: (name) => functions.find((one) => one.name === name && !one.entry),
    kconfig: kconfig?.map,
    piece: (from) => {
      const known = pieces.get(from);
      if (known !== undefined) return known;
      if (btf !== undefined && from.core.length > 0) core ??= new CoreRelocator(btf, options.targetBtf);
      const code = from.core.length === 0 ? from.code : (core?.apply(from) ?? from.code);
      const piece = { from, code, references: references(from, targets) };
      for (const reference of piece.references) {
        if (reference.kind === "kconfig") kconfig?.check(reference.extern.name);
      }
      pieces.set(from, piece);
      return piece;
    },
    kernelId: (name, kind, weak) => {
      const target = options.targetBtf;
      const id = target?.findKind(name, kind);
      if (id !== undefined) return id;
      if (target === undefined) return 0;
      if (weak) return undefined;
      throw new InputError(`the kernel has no ${kind} ${name} in its BTF`);
    },
    hasSymbol: (name, weak) => {
      const found = options.symbols?.get(name) ?? [];
      if (found.length > 1) throw new InputError(`the kernel has more than one symbol ${name}`);
      if (options.symbols === undefined || found.length === 1) return true;
      if (weak) return false;
      throw new InputError(`the kernel has no symbol ${name}`);
    },
  };
}

interface KconfigMap {
  readonly map: ObjectMap;
  /** Throws if the value of a name that must exist is unknown. */
  check(name: string): void;
}

function kconfigMap(
  local: Btf,
  btf: Btf | undefined,
  externs: ReadonlyMap<string, Extern>,
  options: ObjectOptions,
): KconfigMap | undefined {
  if (![...externs.values()].some(({ from }) => from === "kconfig")) return undefined;
  const { data, missing } = kconfigData(local, externs.values(), options.kconfig ?? new Map());
  if (data.length === 0) return undefined;
  const id = btf?.findKind(".kconfig", "datasec");
  const definition = {
    name: ".kconfig",
    type: "array" as const,
    keySize: 4,
    valueSize: data.length,
    maxEntries: 1,
    flags: MAP_FLAGS.rdonly_prog,
    data,
    frozen: true,
    ...(id === undefined ? {} : { btfValue: id }),
  };
  return {
    map: { definition, section: -1, offset: 0, global: true },
    check: (name) => {
      if (missing.includes(name))
        throw new InputError(`the value of the kernel configuration ${name} is not known`);
    },
  };
}
