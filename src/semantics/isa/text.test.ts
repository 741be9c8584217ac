import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { programs } from "./arbitrary.ts";
import { assemble } from "./assemble.ts";
import { encode } from "./codec.ts";
import { disassemble, disassembleInstruction } from "./disassemble.ts";
import { insn, layOut } from "./make.ts";

const hex = (text: string): string => Buffer.from(encode(assemble(text))).toString("hex");

describe("assemble(disassemble(p)) = p", () => {
  const maps = [{ name: "counters" }, { name: "twice" }, { name: "twice" }, { name: "not a word" }];
  test.each([
    ["as the kernel's log", {}],
    ["without opcodes", { opcodes: false }],
    ["with labels", { labels: true }],
    [
      "with names",
      {
        labels: true,
        maps,
        functions: [
          { insn: 1, name: "exit" },
          { insn: 2, name: "second" },
        ],
      },
    ],
    ["with comments", { comment: (slot: number) => `at ${slot}; # // R1=1` }],
  ])("%s", (_, options) => {
    fc.assert(
      fc.property(programs(), (slots) => {
        expect(assemble(disassemble(slots, options), { maps })).toEqual(slots);
      }),
      { numRuns: 300 },
    );
  });
});

test("what a person writes", () => {
  const program = assemble(
    [
      "# counts packets",
      "start: r6 = r1 // the context",
      "  r1 = map[counters]",
      "  *(u32 *)(r10 - 4) = 0",
      "  r2 = r10",
      "  r2 += -4",
      "  call bpf_map_lookup_elem",
      "  if r0 == 0 goto out",
      "  r1 = 1",
      "  lock *(u64 *)(r0) += r1",
      "out:",
      "  call sub; the other one",
      "  exit",
      "sub:  w0 = 0xffffffff",
      "  exit",
    ],
    { maps: [{ name: "other" }, { name: "counters" }] },
  );
  expect(program).toEqual(
    layOut([
      insn("mov64_reg", { dst: 6, src: 1 }),
      insn("ld_imm64_map_fd", { dst: 1, imm: 1 }),
      insn("stw", { dst: 10, off: -4 }),
      insn("mov64_reg", { dst: 2, src: 10 }),
      insn("add64_imm", { dst: 2, imm: -4 }),
      insn("call_helper", { imm: 1 }),
      insn("jeq64_imm", { off: 2 }),
      insn("mov64_imm", { dst: 1, imm: 1 }),
      insn("atomic_add64", { src: 1 }),
      insn("call_subprogram", { imm: 1 }),
      insn("exit"),
      insn("mov32_imm", { imm: -1 }),
      insn("exit"),
    ]),
  );
});

test("constants of 64 bits say so, unless they are too large to be anything else", () => {
  expect(hex("r1 = 5")).toBe("b701000005000000");
  expect(hex("r1 = 5 ll")).toBe("18010000050000000000000000000000");
  expect(hex("0: (18) r1 = 0x5")).toBe("18010000050000000000000000000000");
  expect(hex("r1 = 0xffffffff")).toBe("18010000ffffffff0000000000000000");
  expect(hex("r1 = -1 ll")).toBe("18010000ffffffff00000000ffffffff");
});

test("references to maps and functions", () => {
  const lines = [
    "r1 = map[3]",
    "r1 = map_value[0]+4294967295",
    "r1 = map_idx[1]",
    "r1 = map_idx_value[1]+8",
    "r1 = btf_id[17, -1]",
    "r1 = func L13",
    "call kfunc#5",
    "L13:",
    "call kfunc#5@1",
    "call unknown#4000",
    "r1 = addr_space_cast(r2, 0, 1)",
  ];
  const printed = disassemble(assemble(lines), { labels: true });
  expect(printed.split("\n").map((line) => line.trim())).toEqual([...lines, ""]);
  expect(disassembleInstruction(insn("call_kfunc", { imm: 5 }), { kfunc: () => "bpf_rdonly_cast" })).toBe(
    "(85) call bpf_rdonly_cast#5",
  );
});

describe("errors name line and column", () => {
  const cases: [text: string, message: string][] = [
    ["r0 = 0\nfrob", 'line 2, column 1: expected an instruction, found "frob"'],
    ["  r1 =", "line 1, column 7: expected an instruction, the line ends"],
    ["r1 = -r2", 'line 1, column 7: expected the same register again, found "r2"'],
    ["r11 = 0", 'line 1, column 1: expected an instruction, found "r11"'],
    ["exit 1", 'line 1, column 6: expected the end of the line, found "1"'],
    ["r1 = 5 ; fine\n r1 %% 5", 'line 2, column 5: "%" is not understood'],
    ["goto nowhere", 'line 1, column 6: there is no label "nowhere"'],
    ["a:\na: exit", 'line 2, column 1: label "a" is there already'],
    ["r1: exit", 'line 1, column 1: "r1" cannot be a label'],
    ["3: exit", "line 1, column 1: instruction 3 stands where 0 would"],
    ["(8f) exit", "line 1, column 2: opcode 0x8f is no instruction"],
    ["(07) exit", 'line 1, column 6: expected a 64-bit register, found "exit"'],
    [
      "r1 += 2147483648",
      'line 1, column 7: expected a number in -2147483648..2147483647 or a 64-bit register, found "2147483648"',
    ],
    ["*(u64 *)(r1 +32768) = r2", 'line 1, column 13: expected a distance in -32768..32767, found "+"'],
    ["goto pc+32768", 'line 1, column 6: expected a distance in -32768..32767, found "pc"'],
    ["r1 = 0x10000000000000000", 'line 1, column 6: expected an instruction, found "0x10000000000000000"'],
    [
      "call bpf_map_lookup_elem#2",
      'line 1, column 6: expected bpf_map_lookup_elem#1 or a label or pc+N or a kernel function as name#id, found "bpf_map_lookup_elem"',
    ],
    ["call bpf_no_such_helper", 'line 1, column 6: there is no label "bpf_no_such_helper"'],
  ];
  test.each(cases)("%j", (text, message) => {
    expect(() => assemble(text)).toThrow(new InputError(message));
  });

  test("a label too far for its instruction", () => {
    const far = ["goto end", ...Array.from({ length: 40_000 }, () => "r0 = 0"), "end: exit"];
    expect(() => assemble(far)).toThrow(
      'line 1, column 6: label "end" is 40000 slots away, too far for 16 bits',
    );
    expect(assemble(["gotol end", ...far.slice(1)])[0]).toEqual(insn("gotol", { imm: 40_000 }));
  });
});
