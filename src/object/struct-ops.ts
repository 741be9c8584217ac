/**
 * Which programs of an object stand for which callbacks of the kernel: an initialised structure in `.struct_ops` or `.struct_ops.link` has them as its
 * members. Source: libbpf's conventions, Documentation/bpf/libbpf/libbpf_overview.rst.
 */
import { InputError } from "../semantics/errors.ts";
import type { Btf } from "./btf.ts";
import type { ElfFile, ElfSection } from "./elf.ts";

/** A leading `?` says that what it defines is not loaded by default. */
const SECTION = /^\??\.struct_ops(?:\.link)?$/;

/** What follows three underscores tells versions of a structure apart. */
const FLAVOUR = /___.*$/;

const functionKey = (section: number, offset: number): string => `${section}:${offset}`;

export interface CallbackTargets {
  /** `STRUCTURE/MEMBER` that the function at a byte offset of a section stands for; the first, if it is in several structures. */
  readonly targetOf: (section: number, offset: number) => string | undefined;
}

/** @throws InputError  for a section that the object's BTF does not describe */
export function readCallbacks(elf: ElfFile, btf: Btf | undefined): CallbackTargets {
  const targets = new Map<string, string>();
  for (const section of elf.sections) {
    if (!SECTION.test(section.name) || section.size === 0) continue;
    if (btf === undefined) throw new InputError(`section ${section.name}: there is no BTF that describes it`);
    for (const [key, target] of callbacksIn(elf, section, btf)) {
      if (!targets.has(key)) targets.set(key, target);
    }
  }
  return { targetOf: (section, offset) => targets.get(functionKey(section, offset)) };
}

function callbacksIn(elf: ElfFile, section: ElfSection, btf: Btf): [key: string, target: string][] {
  const id = btf.findKind(section.name, "datasec");
  const datasec = id === undefined ? undefined : btf.type(id);
  if (datasec?.kind !== "datasec") {
    throw new InputError(`section ${section.name}: there is no BTF that describes it`);
  }
  return elf.relocations(section).flatMap(({ offset, symbol }): [string, string][] => {
    const variable = datasec.vars.find((each) => offset >= each.offset && offset < each.offset + each.size);
    if (variable === undefined) return [];
    const { type } = btf.resolve(typeOfVariable(btf, variable.type));
    if (type.kind !== "struct") return [];
    const member = type.members.find(({ bitOffset }) => bitOffset === 8 * (offset - variable.offset));
    if (member === undefined) return [];
    // What is added to the symbol's place stands where the pointer will.
    const place = symbol.value + section.data.u64(offset);
    return [[functionKey(symbol.section, place), `${type.name.replace(FLAVOUR, "")}/${member.name}`]];
  });
}

function typeOfVariable(btf: Btf, id: number): number {
  const variable = btf.type(id);
  return variable.kind === "var" ? variable.type : id;
}
