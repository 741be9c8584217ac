/**
 * Claim: ELF and BTF say to us what they say to tools that share no code with ours: sections, symbols and relocations as llvm-readelf lists
 * them, types as `bpftool btf dump` does; for every committed object, for Debian's, and for the running kernel's 100,000 types.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Btf, readBtf } from "../../src/object/btf.ts";
import type { BtfType } from "../../src/object/btf-types.ts";
import { readElf, SHT } from "../../src/object/elf.ts";
import { KERNEL_BTF } from "../../src/oracle/linux/object-options.ts";

const FILES = ["../../corpus/objects/", "../../src/object/testdata/", "../../.cache/debian-objects/libxdp1/"]
  .map((relative) => fileURLToPath(new URL(relative, import.meta.url)))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".o"))
      .map((name) => join(folder, name)),
  );

const READELF = ["llvm-readelf-19", "llvm-readelf"].find(
  (tool) => spawnSync(tool, ["--version"]).status === 0,
);
const noBpftool = spawnSync("bpftool", ["version"]).status === 0 ? undefined : "there is no bpftool";
const noReadelf = READELF === undefined ? "there is no llvm-readelf" : undefined;
for (const reason of [noReadelf, noBpftool]) {
  if (reason !== undefined) console.log(`properties/object/containers skipped in part: ${reason}`);
}
const why = (reason: string | undefined): string => (reason === undefined ? "" : ` (skipped: ${reason})`);

function run(tool: string, ...parameters: string[]): unknown {
  const { stdout } = spawnSync(tool, parameters, { encoding: "utf8", maxBuffer: 1 << 29 });
  return JSON.parse(stdout.replace(ENUM, (text) => text.replace(SIGN_EXTENDED, unextended)));
}

/** bpftool 7.1 prints enumerators above 2^31 sign-extended, as 64-bit numbers that JavaScript would round. */
const ENUM = /"kind":"ENUM",[^\]]*\]/g;
const SIGN_EXTENDED = /"val":(1844674407\d{10})/g;

function unextended(_: string, value: string): string {
  return `"val":${BigInt.asUintN(32, BigInt(value))}`;
}

// --- ELF

const named = z.looseObject({ Name: z.string(), Value: z.number() });

const readelfFile = z.looseObject({
  Sections: z.array(
    z.looseObject({
      Section: z.looseObject({
        Name: named,
        Type: named,
        Flags: z.looseObject({ Value: z.number() }),
        Size: z.number(),
        Link: z.number(),
        Info: z.number(),
      }),
    }),
  ),
  Symbols: z.array(
    z.looseObject({
      Symbol: z.looseObject({
        Name: named,
        Value: z.number(),
        Size: z.number(),
        Binding: named,
        Section: named,
      }),
    }),
  ),
  Relocations: z.array(
    z.looseObject({
      SectionIndex: z.number(),
      Relocs: z.array(
        z.looseObject({ Relocation: z.looseObject({ Offset: z.number(), Type: named, Symbol: named }) }),
      ),
    }),
  ),
});

describe.skipIf(noReadelf !== undefined)(`ELF as llvm-readelf reads it${why(noReadelf)}`, () => {
  test(`${FILES.length} objects`, () => {
    const answers = z
      .array(readelfFile)
      .parse(run(READELF ?? "", "--elf-output-style=JSON", "-Ssr", ...FILES));
    expect(answers.length).toBe(FILES.length);
    for (const [index, theirs] of answers.entries()) {
      const file = FILES[index] ?? "";
      const elf = readElf(readFileSync(file));
      expect(
        elf.sections.map(({ name, type, flags, size, link, info }) => ({
          name,
          type,
          flags,
          size,
          link,
          info,
        })),
        file,
      ).toEqual(
        theirs.Sections.map(({ Section: s }) => ({
          name: s.Name.Name,
          type: s.Type.Value,
          flags: s.Flags.Value,
          size: s.Size,
          link: s.Link,
          info: s.Info,
        })),
      );
      expect(
        elf.symbols.map(({ name, value, size, binding, section }) => ({
          name,
          value,
          size,
          binding,
          section,
        })),
        file,
      ).toEqual(
        theirs.Symbols.map(({ Symbol: s }) => ({
          name: s.Name.Name,
          value: s.Value,
          size: s.Size,
          binding: s.Binding.Name.toLowerCase(),
          section: s.Section.Value,
        })),
      );
      for (const { SectionIndex, Relocs } of theirs.Relocations) {
        const table = elf.sections[SectionIndex];
        const changed = elf.sections[table?.info ?? 0];
        if (table?.type !== SHT.rel || changed === undefined) continue;
        expect(
          elf.relocations(changed).map(({ offset, type, symbol }) => ({ offset, type, symbol: symbol.name })),
          file,
        ).toEqual(
          Relocs.map(({ Relocation: r }) => ({
            offset: r.Offset,
            type: r.Type.Value,
            symbol: r.Symbol.Name,
          })),
        );
      }
    }
  });
});

// --- BTF

const anonymous = (name: string): string => (name === "" ? "(anon)" : name);

/** What bpftool would print of a type, without its id and kind. */
function bpftoolFields(type: BtfType): Record<string, unknown> {
  const name = "name" in type ? anonymous(type.name) : "(anon)";
  switch (type.kind) {
    case "void":
      return {};
    case "int": {
      const encoding = type.signed ? "SIGNED" : type.char ? "CHAR" : type.bool ? "BOOL" : "(none)";
      return { name, size: type.size, bits_offset: type.bitOffset, nr_bits: type.bits, encoding };
    }
    case "struct":
    case "union":
      return {
        name,
        size: type.size,
        vlen: type.members.length,
        members: type.members.map((member) => ({
          name: anonymous(member.name),
          type_id: member.type,
          bits_offset: member.bitOffset,
          ...(member.bitSize === 0 ? {} : { bitfield_size: member.bitSize }),
        })),
      };
    case "enum":
    case "enum64":
      return {
        name,
        encoding: type.signed ? "SIGNED" : "UNSIGNED",
        size: type.size,
        vlen: type.values.length,
        values: type.values.map((value) => ({ name: anonymous(value.name), val: Number(value.value) })),
      };
    case "fwd":
      return { name, fwd_kind: type.union ? "union" : "struct" };
    case "ptr":
    case "volatile":
    case "const":
    case "restrict":
    case "typedef":
    case "type_tag":
      return { name, type_id: type.type };
    case "array":
      return { name, type_id: type.type, index_type_id: type.indexType, nr_elems: type.length };
    case "func":
    case "var":
      return { name, type_id: type.type, linkage: type.linkage };
    case "func_proto":
      return {
        name,
        ret_type_id: type.type,
        vlen: type.params.length,
        params: type.params.map((param) => ({ name: anonymous(param.name), type_id: param.type })),
      };
    case "datasec":
      return {
        name,
        size: type.size,
        vlen: type.vars.length,
        vars: type.vars.map((entry) => ({ type_id: entry.type, offset: entry.offset, size: entry.size })),
      };
    case "float":
      return { name, size: type.size };
    default:
      return { name, type_id: type.type, component_idx: type.component };
  }
}

const dumpSchema = z.looseObject({ types: z.array(z.looseObject({ id: z.number(), kind: z.string() })) });

/** Holds every type against bpftool's dump of the same file; the number of types. */
function compareTypes(btf: Btf, file: string): number {
  const dump = dumpSchema.parse(run("bpftool", "-j", "btf", "dump", "file", file, "format", "raw"));
  expect(btf.count).toBe(dump.types.length + 1);
  for (const theirs of dump.types) {
    const type = btf.type(theirs.id);
    const ours = { id: theirs.id, kind: type.kind.toUpperCase(), ...bpftoolFields(type) };
    // Comparing as text is a hundred times as fast as `toEqual`, which then only words the difference.
    if (JSON.stringify(sorted(ours)) !== JSON.stringify(sorted(theirs))) expect(ours, file).toEqual(theirs);
  }
  return dump.types.length;
}

function sorted(value: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe.skipIf(noBpftool !== undefined)(`BTF as bpftool reads it${why(noBpftool)}`, () => {
  test(`${FILES.length} objects`, () => {
    let types = 0;
    for (const file of FILES) {
      const section = readElf(readFileSync(file)).section(".BTF");
      if (section === undefined) continue;
      // libbpf reads the other byte order too, and prints the same.
      types += compareTypes(readBtf(section.data.bytes), file);
    }
    console.log(`${types} types of objects as bpftool prints them`);
  });

  test.skipIf(!existsSync(KERNEL_BTF))("the running kernel's", () => {
    const types = compareTypes(readBtf(readFileSync(KERNEL_BTF)), KERNEL_BTF);
    console.log(`${types} types of the kernel as bpftool prints them`);
  });
});
