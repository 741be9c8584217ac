/**
 * Claim: what we decode of a section is what llvm-objdump prints of it, instruction for instruction, for our own objects at every ISA version
 * and in both byte orders, and for the BPF objects that Debian's packages ship; and all of those that are well-formed can be read.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readElf } from "../../src/object/elf.ts";
import { holdsCode, SLOT } from "../../src/object/functions.ts";
import { readObject } from "../../src/object/programs.ts";
import { InputError } from "../../src/semantics/errors.ts";
import { decode } from "../../src/semantics/isa/codec.ts";
import { debianObjects, noDebianObjects } from "./debian.ts";
import { fromLlvm, fromOurs, noObjdump, objdump } from "./llvm.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

let instructions = 0;
let objects = 0;

/** Compares every instruction of a file. */
function compare(file: string): void {
  const elf = readElf(readFileSync(file));
  const theirs = objdump(file);
  for (const section of elf.sections) {
    if (!holdsCode(section)) continue;
    const wanted = theirs.get(section.name);
    const slots = decode(section.data.bytes, { byteOrder: elf.bigEndian ? "big" : "little" });
    expect(slots.length * SLOT).toBe(section.size);
    const own = new Map(
      slots.flatMap((insn, slot): [number, string][] => (insn === undefined ? [] : [[slot, fromOurs(insn)]])),
    );
    const normal = new Map([...(wanted ?? [])].map(([slot, text]) => [slot, fromLlvm(text)]));
    expect(own).toEqual(normal);
    instructions += own.size;
  }
  objects++;
}

function folder(relative: string): string[] {
  return readdirSync(path(relative))
    .filter((name) => name.endsWith(".o"))
    .map((name) => join(path(relative), name));
}

/** Test objects of Cilium's library: refused by it too; maps alone, or symbols without a type (clang 7); references that its loader fills in. */
const ILL_FORMED = /\/invalid_(?!map_static|btf_map)/;
const WITHOUT_PROGRAMS =
  /\/(invalid_map_static|(invalid_)?btf_map_init|iproute2_map_compat|map_spin_lock|relocs_read_tgt|loader-clang-7)-/;
const NEEDS_ITS_LOADER = /\/(fwd_decl|loader-clang-\d+)-/;
const IS_TOLD_BY_ITS_LOADER = /is not declared in \.kconfig or \.ksyms$/;
const NEEDS_A_KERNEL = /needs the BTF of a kernel|is not known$/;

const why = (reason: string | undefined): string => (reason === undefined ? "" : ` (skipped: ${reason})`);
const reason = noObjdump ?? noDebianObjects;
for (const missing of new Set([noObjdump, reason])) {
  if (missing !== undefined) console.log(`properties/object/disassembly skipped in part: ${missing}`);
}

describe.skipIf(noObjdump !== undefined)(`our objects as llvm-objdump reads them${why(noObjdump)}`, () => {
  for (const where of ["../../corpus/objects/", "../../src/object/testdata/"]) {
    test(where.slice(6), () => {
      for (const file of folder(where)) compare(file);
    });
  }
});

describe.skipIf(reason !== undefined)(`Debian's objects${why(reason)}`, () => {
  const scratch = mkdtempSync(join(tmpdir(), "soundcheck-"));
  const found = debianObjects();
  test("there are some of each package", () => {
    expect(new Set(found.map(({ package: from }) => from)).size).toBeGreaterThanOrEqual(4);
  });
  for (const { name, bytes } of found) {
    test(name, () => {
      const file = join(scratch, "object.o");
      writeFileSync(file, bytes);
      compare(file);
      if (ILL_FORMED.test(name)) {
        expect(() => readObject(bytes)).toThrow(InputError);
        return;
      }
      const { programs, failures } = readObject(bytes, { defaultType: "socket_filter" });
      // Without a kernel's BTF, programs that need one are told, and nothing else fails.
      const expected = NEEDS_ITS_LOADER.test(name) ? IS_TOLD_BY_ITS_LOADER : NEEDS_A_KERNEL;
      for (const { message } of failures) expect(message).toMatch(expected);
      if (!WITHOUT_PROGRAMS.test(name)) expect(programs.length + failures.length).toBeGreaterThan(0);
    });
  }
  afterAll(() => rmSync(scratch, { recursive: true }));
});

afterAll(() => console.log(`${instructions} instructions of ${objects} objects as llvm-objdump prints them`));
