import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InputError } from "../semantics/errors.ts";
import { readElf } from "./elf.ts";

const object = new Uint8Array(readFileSync(new URL("testdata/legacy.el.o", import.meta.url)));
const view = new DataView(object.buffer);
const headers = Number(view.getBigUint64(40, true));
const count = view.getUint16(60, true);

/** The object with some bytes changed. */
function changed(change: (view: DataView) => void): Uint8Array {
  const copy = object.slice();
  change(new DataView(copy.buffer));
  return copy;
}

/** Where the header of a section lies in the file. */
function header(name: string): number {
  return headers + 64 * (readElf(object).section(name)?.index ?? expect.fail(`no section ${name}`));
}

// Field offsets are those of Elf64_Ehdr, Elf64_Shdr and Elf64_Sym in the gABI.
const malformed: [name: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "ELF header, offset 0x0: not an ELF file"],
  ["text", new TextEncoder().encode("\x7fELF"), "ELF header, offset 0x4: the file ends inside the header"],
  ["32 bits", changed((v) => v.setUint8(4, 1)), "ELF header, offset 0x4: not a 64-bit ELF file"],
  ["no byte order", changed((v) => v.setUint8(5, 3)), "ELF header, offset 0x5: unknown byte order 3"],
  [
    "an executable",
    changed((v) => v.setUint16(16, 2, true)),
    "ELF header, offset 0x10: not a relocatable object (e_type is 2)",
  ],
  [
    "x86",
    changed((v) => v.setUint16(18, 62, true)),
    "ELF header, offset 0x12: not a BPF object (e_machine is 62)",
  ],
  [
    "section headers outside",
    changed((v) => v.setBigUint64(40, 1n << 40n, true)),
    "ELF header, offset 0x28: the section headers lie outside the file",
  ],
  [
    "a size beyond numbers",
    changed((v) => v.setBigUint64(40, 1n << 63n, true)),
    "ELF header, offset 0x28: the value 0x8000000000000000 is too large",
  ],
  [
    "more sections than fit",
    changed((v) => v.setUint16(60, 0xffff, true)),
    "ELF header, offset 0x3c: 65535 section headers do not fit into the file",
  ],
  [
    "names that do not exist",
    changed((v) => v.setUint16(62, count, true)),
    `ELF header, offset 0x3e: section ${count} of the names does not exist`,
  ],
  [
    "a section past the end",
    changed((v) => v.setBigUint64(header("maps") + 32, 1n << 32n, true)),
    `section maps, offset 0x${view.getBigUint64(header("maps") + 24, true).toString(16)}: its 4294967296 bytes reach past the end of the file (${object.length} bytes)`,
  ],
  [
    "symbols that are no whole number",
    changed((v) => v.setBigUint64(header(".symtab") + 32, 25n, true)),
    "section .symtab, offset 0x19: 25 bytes are no whole number of symbols",
  ],
  [
    "symbols without names",
    changed((v) => v.setUint32(header(".symtab") + 40, 99, true)),
    "section .symtab, offset 0x0: its string table, section 99, does not exist",
  ],
];

describe("a malformed file", () => {
  test.each(malformed)("%s", (_, bytes, message) => {
    expect(() => readElf(bytes)).toThrow(new InputError(message));
  });

  test("a symbol of a section that does not exist", () => {
    const symbols = Number(view.getBigUint64(header(".symtab") + 24, true));
    const bytes = changed((v) => v.setUint16(symbols + 24 + 6, 500, true));
    expect(() => readElf(bytes)).toThrow("section .symtab, offset 0x1e: section 500 does not exist");
  });

  test("a relocation of a symbol that does not exist", () => {
    const relocations = Number(view.getBigUint64(header(".relsocket") + 24, true));
    const elf = readElf(changed((v) => v.setUint32(relocations + 12, 1000, true)));
    const section = elf.section("socket") ?? expect.fail("no section socket");
    expect(() => elf.relocations(section)).toThrow(
      "section .relsocket, offset 0x8: symbol 1000 does not exist",
    );
  });

  test("sections that share bytes", () => {
    const whole = changed((v) => {
      for (const name of ["maps", "license", ".BTF"]) {
        v.setBigUint64(header(name) + 24, 0n, true);
        v.setBigUint64(header(name) + 32, BigInt(object.length), true);
      }
    });
    expect(() => readElf(whole)).toThrow(/^ELF header, offset 0x28: sections overlap \(\d+ bytes in all\)$/);
  });
});

test("a section without contents has a size and no bytes", () => {
  const elf = readElf(new Uint8Array(readFileSync(new URL("testdata/everything.el.o", import.meta.url))));
  const bss = elf.section(".bss");
  expect(bss?.size).toBe(4);
  expect(bss?.data.size).toBe(0);
});
