/** Expected: spelt out by hand. */
import { describe, expect, it } from "vitest";
import { InputError } from "../semantics/errors.ts";
import { checkFileSize, readPrograms } from "./read.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function problem(name: string, content: Uint8Array): string {
  try {
    readPrograms(name, content);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "no error";
}

describe("a file is read by its content", () => {
  it("reads a bundle with what it expects", () => {
    const text = `\n {"name": "p", "type": "xdp", "asm": ["exit"], "expect": {"verdict": "reject"}}`;
    const file = readPrograms("any.name", bytes(text));
    expect(file.format).toBe("bundle");
    expect(file.programs.map(({ name, type }) => [name, type])).toEqual([["p", "xdp"]]);
    expect(file.expect).toEqual({ verdict: "reject", runs: [] });
  });

  it("takes JSON that is no bundle for none, not for assembly", () => {
    expect(problem("x.prog.json", bytes("[]"))).toBe(
      "x.prog.json: bundle: Invalid input: expected object, received array",
    );
  });

  it("reads assembly with its opening comments", () => {
    const text = [
      "; Counts packets. Free text: any comment.",
      "; type: sched_cls",
      "; attach: tcx_ingress",
      ";license:  Dual MIT/GPL ",
      "; flags: any_alignment, sleepable",
      "; map: counters array 4 8 16",
      "; map: seen hash 4 1 1024 1",
      "",
      "r1 = map[seen]",
      "r0 = 0    ; type: xdp",
      "exit",
    ].join("\r\n");
    const { format, programs } = readPrograms("dir/count.asm", bytes(text));
    expect(format).toBe("assembly");
    expect(programs).toHaveLength(1);
    expect(programs[0]).toMatchObject({
      name: "count",
      type: "sched_cls",
      attach: "tcx_ingress",
      license: "Dual MIT/GPL",
      flags: ["any_alignment", "sleepable"],
      maps: [
        { name: "counters", type: "array", keySize: 4, valueSize: 8, maxEntries: 16, flags: 0 },
        { name: "seen", type: "hash", keySize: 4, valueSize: 1, maxEntries: 1024, flags: 1 },
      ],
    });
    expect(programs[0]?.insns.map((insn) => insn?.row.opcode)).toEqual([0x18, undefined, 0xb7, 0x95]);
    expect(programs[0]?.insns[0]?.imm).toBe(1);
  });

  it("takes the type from the options where the text has none", () => {
    expect(readPrograms("x.s", bytes("r0 = 0\nexit"), { defaultType: "xdp" }).programs[0]?.type).toBe("xdp");
  });
});

describe("every error names the file and the place", () => {
  const cases: [string, Uint8Array, string][] = [
    ["a.json", bytes('{"name"'), 'a.json: line 1, column 8: expected ":", found the end'],
    ["a.s", bytes("r0 = 0"), 'a.s: line 1, column 1: no program type; begin with a line like "; type: xdp"'],
    ["a.s", bytes("; hi\n;  type: xpd\n"), 'a.s: line 2, column 10: there is no program type "xpd"'],
    [
      "a.s",
      bytes("; type: xdp\n; map: m array 4"),
      'a.s: line 2, column 8: a map is written "name type key_size value_size entries [flags]"',
    ],
    ["a.s", bytes("; type: xdp\n; map: m arr 4 4 1"), 'a.s: line 2, column 8: there is no map type "arr"'],
    ["empty", new Uint8Array(0), "empty: the file is empty"],
    ["bin", new Uint8Array([1, 0, 2]), "bin: neither an ELF object nor text (a bundle or assembly)"],
    ["bin", new Uint8Array([0xff, 0xfe]), "bin: neither an ELF object nor text (a bundle or assembly)"],
  ];
  for (const [name, content, message] of cases)
    it(message, () => expect(problem(name, content)).toBe(message));

  it("an instruction that does not parse, with its line", () => {
    expect(problem("a.s", bytes("; type: xdp\nr0 = \n"))).toMatch(/^a\.s: line 2, column \d+: /);
  });

  it("a truncated object", () => {
    const message = problem("a.o", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
    expect(message).toMatch(/^a\.o: [^\n]+$/);
  });

  it("a file that is too large, before it is read", () => {
    expect(() => checkFileSize("huge.o", 2 * 2 ** 30)).toThrow(
      new InputError("huge.o: 2048 MiB, and the limit for a file is 64 MiB"),
    );
    expect(() => checkFileSize("fine.o", 64 * 2 ** 20)).not.toThrow();
  });
});
