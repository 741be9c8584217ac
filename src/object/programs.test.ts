import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import { readBtf } from "./btf.ts";
import { readElf } from "./elf.ts";
import { type ObjectFile, type ObjectOptions, readObject } from "./programs.ts";

const ROOT = new URL("../../", import.meta.url);

function read(path: string, options: ObjectOptions = {}): ObjectFile {
  return readObject(readFileSync(new URL(path, ROOT)), options);
}

function program(object: ObjectFile, name: string): Program {
  return object.programs.find((p) => p.name === name) ?? expect.fail(`no program ${name}`);
}

function map(from: Program, name: string): MapDefinition {
  return from.maps.find((m) => m.name === name) ?? expect.fail(`no map ${name}`);
}

/** Rows and operands, without what only identity tells apart. */
function text({ insns }: Program): unknown[] {
  return insns.map((i) => (i === undefined ? "" : [i.row.name, i.dst, i.src, i.off, i.imm, i.immHigh]));
}

// What `everything.bpf.c` says, read by eye.
describe("an object with everything", () => {
  const object = read("src/object/testdata/everything.el.o");
  const main = program(object, "everything");

  test("has one program for each global function of its sections", () => {
    expect(object.failures).toEqual([]);
    expect(
      object.programs.map(({ name, type, attach, section, license }) => [
        name,
        type,
        attach,
        section,
        license,
      ]),
    ).toEqual([
      ["other", "xdp", "xdp", "xdp", "Dual MIT/GPL"],
      ["everything", "xdp", "xdp", "xdp", "Dual MIT/GPL"],
    ]);
  });

  test("appends the subprograms that a program reaches, depth first, and those alone", () => {
    expect(main.functions.map(({ name, linkage }) => [name, linkage])).toEqual([
      ["everything", "global"],
      ["each", "static"],
      ["weigh", "global"],
      ["twice", "static"],
      ["hidden", "static"],
    ]);
    expect(program(object, "other").functions.map(({ name }) => name)).toEqual(["other", "twice"]);
  });

  test("points every call and callback at its subprogram's first instruction", () => {
    const starts = new Map(main.functions.map(({ name, insn }) => [insn, name]));
    const called = main.insns.flatMap((insn, slot) =>
      insn?.row.name === "call_subprogram" || insn?.row.name === "ld_imm64_func"
        ? [starts.get(slot + 1 + insn.imm)]
        : [],
    );
    expect(called).toEqual(["each", "weigh", "hidden", "twice"]);
  });

  test("describes maps by their BTF", () => {
    expect(map(main, "guarded")).toMatchObject({
      type: "hash",
      keySize: 4,
      valueSize: 32,
      maxEntries: 7,
      flags: 1,
      pinning: "by_name",
      fields: [
        { kind: "spin_lock", offset: 8 },
        { kind: "timer", offset: 16 },
      ],
    });
    expect(map(main, "private_array")).toMatchObject({
      type: "array",
      keySize: 4,
      valueSize: 24,
      maxEntries: 3,
    });
    expect(map(main, "jumps")).toMatchObject({
      type: "prog_array",
      keySize: 4,
      valueSize: 4,
      maxEntries: 2,
      holds: [{ index: 1, name: "other" }],
    });
    expect(map(main, "outer")).toMatchObject({
      type: "array_of_maps",
      keySize: 4,
      valueSize: 4,
      inner: { type: "hash", keySize: 8, valueSize: 2, maxEntries: 5 },
      holds: [
        { index: 0, name: "first_inner" },
        { index: 3, name: "second_inner" },
      ],
    });
  });

  test("brings along the maps that a map of maps holds", () => {
    expect(map(main, "second_inner")).toMatchObject({ type: "hash", valueSize: 2 });
  });

  test("makes maps of global data, and user space may map those with a visible variable", () => {
    const array = { type: "array", keySize: 4, maxEntries: 1 };
    expect(map(main, ".rodata")).toMatchObject({
      ...array,
      valueSize: 4,
      flags: 0x480,
      frozen: true,
      data: new Uint8Array([9, 0, 0, 0]),
    });
    expect(map(main, ".data")).toMatchObject({
      ...array,
      flags: 0x400,
      data: new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0]),
    });
    expect(map(main, ".data.custom")).toMatchObject({ ...array, data: new Uint8Array([4, 3, 2, 1]) });
    const bss = map(main, ".bss");
    expect(bss).toMatchObject({ ...array, valueSize: 4, flags: 0 });
    expect(bss.data).toBeUndefined();
  });

  test("refers to maps by position", () => {
    const used = new Set(
      main.insns.flatMap((i) =>
        i?.row.name.startsWith("ld_imm64_map") === true ? [main.maps[i.imm]?.name] : [],
      ),
    );
    expect(used).toEqual(
      new Set(["guarded", "private_array", "outer", ".data", "jumps", ".rodata", ".bss", ".data.custom"]),
    );
  });

  test("reads the same from the other byte order", () => {
    const turned = read("src/object/testdata/everything.eb.o");
    expect(turned.failures).toEqual([]);
    for (const theirs of turned.programs) {
      const ours = program(object, theirs.name);
      expect(text(theirs)).toEqual(text(ours));
      expect(theirs.lines).toEqual(ours.lines);
      expect(theirs.functions).toEqual(ours.functions);
      // BTF is turned for the loader; only the strings' order is the compiler's choice.
      expect(theirs.btf?.length).toBe(ours.btf?.length);
      const shape = ({ data: _, ...rest }: MapDefinition): unknown => rest;
      expect(theirs.maps.map(shape)).toEqual(ours.maps.map(shape));
    }
  });
});

describe("what an object asks of the kernel", () => {
  const path = "src/object/testdata/externs.el.o";
  const kconfig = new Map([
    ["LINUX_KERNEL_VERSION", "0x061200"],
    ["CONFIG_HZ", "250"],
    ["CONFIG_TRISTATE", "m"],
    ["CONFIG_NAME", '"abcdefghij"'],
  ]);

  test("configuration values by descending alignment, then size, then name", () => {
    const { data, frozen, flags } = map(program(read(path, { kconfig }), "configuration"), ".kconfig");
    expect({ frozen, flags }).toEqual({ frozen: true, flags: 0x80 });
    const wanted = new Uint8Array(26);
    const view = new DataView(wanted.buffer);
    view.setBigUint64(0, 250n, true);
    // CONFIG_STRONG at 8 is not given.
    view.setUint32(12, 0x061200, true);
    // CONFIG_MISSING at 16 is weak; CONFIG_TRISTATE is 2 for a module.
    wanted[17] = 2;
    wanted.set(new TextEncoder().encode("abcdefg"), 18);
    expect(data).toEqual(wanted);
  });

  test("a value that must be there fails only the program that uses it", () => {
    const { failures, programs } = read(path, { kconfig });
    expect(programs.map(({ name }) => name)).toEqual(["configuration", "functions", "variables"]);
    expect(failures).toEqual([
      { name: "strong", message: "the value of the kernel configuration CONFIG_STRONG is not known" },
    ]);
  });

  test("a value that is no number is an error", () => {
    const wrong = new Map([...kconfig, ["CONFIG_HZ", "many"]]);
    expect(() => read(path, { kconfig: wrong })).toThrow("kernel configuration CONFIG_HZ: many is no number");
  });

  test("kernel functions by name where the kernel is unknown", () => {
    expect(program(read(path, { kconfig }), "functions").kfuncs?.map(({ name }) => name)).toEqual([
      "bpf_rcu_read_lock",
      "bpf_rcu_read_unlock",
      "bpf_no_such_function",
    ]);
  });

  test("kernel variables by name, and whether their type is told", () => {
    const { ksyms = [], insns } = program(read(path, { kconfig }), "variables");
    const loads = ksyms.map(({ insn, ...symbol }) => ({ ...symbol, row: insns[insn]?.row.name }));
    expect(loads.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "some_address", typed: false, row: "ld_imm64" },
      { name: "some_variable", typed: true, row: "ld_imm64_btf_id" },
    ]);
  });

  test("a kernel function that the kernel lacks fails the program", () => {
    const targetBtf = readBtf(sectionOf("src/object/testdata/kernel.el.o", ".BTF"));
    expect(read(path, { kconfig, targetBtf }).failures).toContainEqual({
      name: "functions",
      message: "the kernel has no func bpf_rcu_read_lock in its BTF",
    });
  });
});

describe("symbols of which only the names are told", () => {
  const path = "src/object/testdata/symbols.el.o";
  const names = (from: Program): (string | undefined)[] => from.ksyms?.map(({ name }) => name) ?? [];

  test("may each be there if the kernel is unknown", () => {
    const object = read(path);
    expect(object.failures).toEqual([]);
    expect(object.programs.map(names)).toEqual([
      ["kfree", "schedule"],
      ["no_such_symbol"],
      ["no_such_symbol_either"],
    ]);
  });

  // libbpf: "extern 'no_such_symbol' (weak): not resolved, defaulting to zero", "extern 'no_such_symbol_either' (strong): not resolved".
  test("are the number 0 if weak and missing, and fail the program if strong and missing", () => {
    const symbols = new Map([
      ["kfree", [1n]],
      ["schedule", [2n]],
    ]);
    for (const order of ["el", "eb"]) {
      const object = read(`src/object/testdata/symbols.${order}.o`, { symbols });
      expect(object.programs.map((one) => [one.name, names(one)])).toEqual([
        ["present", ["kfree", "schedule"]],
        ["absent", []],
      ]);
      expect(text(program(object, "absent"))[1]).toEqual(["ld_imm64", 1, 0, 0, 0, 0]);
      expect(object.failures).toEqual([
        { name: "strong", message: "the kernel has no symbol no_such_symbol_either" },
      ]);
    }
  });

  // libbpf: "extern (ksym) '…': resolution is ambiguous".
  test("fail the program if the kernel has two", () => {
    const symbols = new Map([
      ["kfree", [1n, 3n]],
      ["schedule", [2n]],
      ["no_such_symbol_either", [4n]],
    ]);
    expect(read(path, { symbols }).failures).toEqual([
      { name: "present", message: "the kernel has more than one symbol kfree" },
    ]);
  });
});

describe("legacy maps", () => {
  test("are read from symbols and structures", () => {
    const object = read("src/object/testdata/legacy.el.o");
    expect(program(object, "legacy").maps).toEqual([
      { name: "counts", type: "array", keySize: 4, valueSize: 8, maxEntries: 16, flags: 0 },
      { name: "names", type: "hash", keySize: 4, valueSize: 32, maxEntries: 64, flags: 1 },
    ]);
  });

  test.each(["el", "eb"])("the kernel samples' form names inner maps by index (%s)", (order) => {
    const object = read(`src/object/testdata/samples.${order}.o`, { defaultType: "sched_cls" });
    const second = { name: "second", type: "hash", keySize: 4, valueSize: 32, maxEntries: 64, flags: 4 };
    expect(program(object, "unnamed").maps).toEqual([
      {
        name: "outer",
        type: "array_of_maps",
        keySize: 4,
        valueSize: 4,
        maxEntries: 8,
        flags: 0,
        inner: second,
      },
      { name: "first", type: "array", keySize: 4, valueSize: 8, maxEntries: 16, flags: 0 },
      second,
    ]);
  });

  test("a section whose name says nothing fails its program, or takes the type that the caller gives", () => {
    const path = "src/object/testdata/legacy.el.o";
    expect(read(path).failures).toEqual([
      { name: "unknown", message: "section nothing_known: its name does not tell the program's type" },
    ]);
    expect(program(read(path, { defaultType: "kprobe" }), "unknown").type).toBe("kprobe");
  });
});

describe("source lines", () => {
  const names = ["xdp_subprograms", "xdp_global_functions", "kprobe_latency", "tc_port_rewrite"];
  test.each(names)("%s: each is the line of the source that it says", (name) => {
    for (const version of [1, 4]) {
      for (const { lines, insns } of read(`corpus/objects/${name}.v${version}.o`).programs) {
        expect(lines.length).toBeGreaterThan(0);
        expect(lines[0]?.insn).toBe(0);
        for (const { file, line, text: said, insn } of lines) {
          const source = readFileSync(new URL(file, ROOT), "utf8").split("\n");
          expect(said).toBe(source[line - 1]?.trim());
          expect(insns[insn]).toBeDefined();
        }
      }
    }
  });
});

function sectionOf(path: string, name: string): Uint8Array {
  const section = readElf(readFileSync(new URL(path, ROOT))).section(name);
  return section?.data.bytes ?? expect.fail(`${path} has no ${name}`);
}

describe("programs that stand for callbacks", () => {
  test.each(["el", "eb"])("take them from the structures that point to them (%s)", (order) => {
    const { programs, failures } = read(`src/object/testdata/callbacks.${order}.o`);
    expect(failures).toEqual([]);
    expect(programs.map(({ name, type, target, flags }) => [name, type, target, flags])).toEqual([
      ["half", "struct_ops", "tcp_congestion_ops/ssthresh", []],
      ["undo", "struct_ops", "tcp_congestion_ops/undo_cwnd", ["sleepable"]],
      ["note", "struct_ops", "tcp_congestion_ops/set_state", []],
      ["forget", "struct_ops", "tcp_congestion_ops/release", []],
      ["unused", "struct_ops", undefined, []],
    ]);
  });
});

test.each(["el", "eb"])("variables in an arena are places in the object's arena (%s)", (order) => {
  const { programs, failures } = read(`src/object/testdata/arena.${order}.o`);
  expect(failures).toEqual([]);
  const [counting = expect.fail("no program")] = programs;
  expect(counting.maps).toMatchObject([{ name: "pages", type: "arena", maxEntries: 16, flags: 1 << 10 }]);
  const loads = counting.insns.filter((i) => i?.row.operation.kind === "ld_imm64");
  expect(loads.map((i) => [i?.row.name, i?.imm, i?.immHigh])).toEqual([
    ["ld_imm64_map_value", 0, 8],
    ["ld_imm64_map_value", 0, 0],
  ]);
});

describe("exception callbacks", () => {
  test.each(["el", "eb"])("lie behind all that is called, with what they call (%s)", (order) => {
    const { programs, failures } = read(`src/object/testdata/exceptions.${order}.o`);
    const [throwing = expect.fail("no program"), without = expect.fail("no program")] = programs;
    expect(throwing.functions.map(({ name }) => name)).toEqual([
      "short_packets",
      "checked",
      "caught",
      "least",
    ]);
    const [main, , callback] = throwing.functions;
    expect(main?.prototype?.exceptionCallbacks).toEqual([
      { name: "caught", typeId: callback?.typeId, linkage: "global" },
    ]);
    expect(without.functions.map(({ name }) => name)).toEqual(["all_packets", "checked"]);
    expect(failures).toEqual([{ name: "no_packets", message: "there is no exception callback absent" }]);
  });
});
