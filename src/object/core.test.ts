import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Program } from "../semantics/program/program.ts";
import { type Btf, readBtf } from "./btf.ts";
import { readElf } from "./elf.ts";
import { readObject } from "./programs.ts";

const ROOT = new URL("../../", import.meta.url);

function btfOf(path: string): Btf {
  const section = readElf(readFileSync(new URL(path, ROOT))).section(".BTF");
  return readBtf(section?.data.bytes ?? expect.fail(`${path} has no BTF`));
}

function settle(path: string, kernel: string): ReturnType<typeof readObject> {
  return readObject(readFileSync(new URL(path, ROOT)), {
    targetBtf: btfOf(`src/object/testdata/${kernel}.o`),
  });
}

/** What core_kinds stores into its results, by position: constants, as each comes from a relocated move into a register. */
function storedConstants({ insns }: Program): Map<number, number> {
  const constants = new Map<number, number>();
  const stored = new Map<number, number>();
  for (const insn of insns) {
    if (insn === undefined) continue;
    if (/^(mov(32|64)_imm|ld_imm64)$/.test(insn.row.name)) constants.set(insn.dst, insn.imm);
    else if (insn.row.name === "stxdw" && constants.has(insn.src))
      stored.set(insn.off / 8, constants.get(insn.src) ?? 0);
    else if (insn.row.operation.kind === "load") constants.delete(insn.dst);
  }
  return stored;
}

describe("CO-RE against a kernel whose structures lie elsewhere", () => {
  // Positions in core_kinds.bpf.c; values from the layouts in kernel.bpf.c, by the C rules.
  const wanted = new Map([
    [2, 8], // task->pid
    [3, 4],
    [4, 1], // signed
    [5, 1],
    [6, 12 + 5], // task->comm[5]
    [7, 1],
    [8, 32 + 8], // task->tasks.prev
    [9, 28], // the word of the bitfield
    [10, 4],
    [11, 0],
    [12, 64 - 4], // bit 3 of it
    [13, 63],
    [14, 12], // skb->priority, inside unnamed members
    [15, 20],
    [16, 16],
    [17, 0], // never->no_such_member
    [18, 0],
    [19, 1],
    [20, 0],
    [21, 16], // sizeof(struct list_head)
    [22, 0],
    [23, 1],
    [24, 0], // list_head___other has more than the kernel's
    [27, 1], // PIDTYPE_TGID
    [28, 7],
    [29, 0], // PIDTYPE_NONE is not there
  ]);

  test.each(["kernel.el", "kernel.eb"])("%s: every kind gives what the layout says", (kernel) => {
    const { programs, failures } = settle("corpus/objects/core_kinds.v3.o", kernel);
    expect(failures).toEqual([]);
    const stored = storedConstants(programs[0] ?? expect.fail("no program"));
    for (const [position, value] of wanted)
      expect([position, stored.get(position)]).toEqual([position, value]);
  });

  test("type ids are those of the object and of the kernel", () => {
    const { programs } = settle("corpus/objects/core_kinds.v3.o", "kernel.el");
    const stored = storedConstants(programs[0] ?? expect.fail("no program"));
    const local = btfOf("corpus/objects/core_kinds.v3.o");
    expect(local.name(stored.get(25) ?? 0)).toBe("list_head");
    expect(btfOf("src/object/testdata/kernel.el.o").name(stored.get(26) ?? 0)).toBe("list_head");
  });

  test("loads follow a field to another offset and size", () => {
    const { programs } = settle("corpus/objects/core_kinds.v3.o", "kernel.el");
    const loads = programs[0]?.insns.filter((i) => i?.row.operation.kind === "load") ?? [];
    expect(loads.map((i) => [i?.row.name, i?.off])).toEqual([
      ["ldxw", 16],
      ["ldxw", 12],
    ]);
  });

  test("what the kernel lacks poisons its instruction", () => {
    const { programs } = settle("corpus/objects/core_kinds.v3.o", "kernel.el");
    const poisoned = programs[0]?.insns.filter((i) => i?.row.name === "call_helper") ?? [];
    expect(poisoned.map((i) => i?.imm)).toEqual([0xbad2310]);
  });

  test("two types of a name that disagree are an error of the program", () => {
    const { programs, failures } = settle("corpus/objects/core_process.v3.o", "ambiguous.el");
    expect(programs).toEqual([]);
    expect(failures[0]?.message).toMatch(/the kernel has several types task_struct that disagree on 0:0$/);
  });

  test("without a kernel's BTF the program fails, and says for what", () => {
    const { failures } = readObject(readFileSync(new URL("corpus/objects/core_process.v3.o", ROOT)));
    expect(failures[0]?.message).toBe(
      "section kprobe/wake_up_new_task, offset 0x0: needs the BTF of a kernel, for field_byte_offset of task_struct",
    );
  });
});
