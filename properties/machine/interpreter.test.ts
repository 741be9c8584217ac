/**
 * Claims about the interpreter without a kernel: it computes what the instruction table's effects say, and no program whatever makes it do
 * anything but end, fault, or name what it does not model.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { Unsupported } from "../../src/semantics/errors.ts";
import { programs } from "../../src/semantics/isa/arbitrary.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { DST, SRC } from "../../src/semantics/isa/row.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program, Slots } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import { evaluate } from "../../src/semantics/term/concrete.ts";
import { Machine } from "../../src/vm/machine.ts";

function program(type: ProgramType, insns: Slots, maps: readonly MapDefinition[] = []): Program {
  return { name: "random", type, license: "GPL", flags: [], insns, maps, lines: [], functions: [] };
}

const PACKET = Uint8Array.from({ length: 64 }, (_, i) => i);

// --- Arithmetic

const ARITHMETIC: readonly Row[] = ROWS.filter(({ operation }) => operation.kind === "alu");
const EDGES = [0n, 1n, -1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 63n - 1n];
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(...EDGES).map((edge) => BigInt.asUintN(64, edge)),
);
const register = fc.integer({ min: 0, max: 9 });
const immediate = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)),
);
const operation = fc.record({
  row: fc.constantFrom(...ARITHMETIC),
  dst: register,
  src: register,
  imm: immediate,
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** The registers after the operations, by the reference reading of the table's effects. */
function reference(start: readonly bigint[], operations: readonly Operation[]): readonly bigint[] {
  const registers = [...start];
  for (const { row, dst, src, imm } of operations) {
    if (row.operation.kind !== "alu") continue;
    const operand = row.fields.src === "any" ? registers[src] : BigInt.asUintN(64, BigInt(imm));
    const environment = new Map([
      [DST, registers[dst] ?? 0n],
      [SRC, operand ?? 0n],
    ]);
    registers[dst] = evaluate(row.operation.result, environment);
  }
  return registers;
}

function instruction({ row, dst, src, imm }: Operation): Instruction {
  const { fields } = row;
  return {
    row,
    dst,
    src: fields.src === "any" ? src : 0,
    off: 0,
    imm: fields.imm === "any" ? imm : 0,
    immHigh: 0,
  };
}

function constants(values: readonly bigint[]): Instruction[] {
  return values.map((constant, dst) => {
    const half = (shift: bigint): number => Number(BigInt.asIntN(32, constant >> shift));
    return insn("ld_imm64", { dst, imm: half(0n), immHigh: half(32n) });
  });
}

describe("arithmetic", () => {
  test.prop([fc.array(value, { minLength: 10, maxLength: 10 }), fc.array(operation, { maxLength: 40 })], {
    numRuns: 1000,
    seed: 6018,
  })("is what the table's effects say", (start, operations) => {
    const body = operations.map(instruction);
    const insns = layOut([...constants(start), ...body, insn("exit")]);
    const last = insns.length - 1;
    let seen: readonly bigint[] = [];
    const ended = new Machine(program("xdp", insns)).run({ packet: PACKET }, (pc, view) => {
      if (pc !== last) return;
      seen = start.map((_, i) => {
        const content = view.register(i);
        return content.kind === "number" ? content.value : -1n;
      });
    });
    expect(ended.outcome).toBe("exit");
    expect(seen).toEqual(reference(start, operations));
  });
});

// --- Any program at all

const MAPS: readonly MapDefinition[] = (
  ["array", "hash", "percpu_array", "array_of_maps", "prog_array"] as const
).map((type) => ({
  name: type,
  type,
  keySize: 4,
  valueSize: type.startsWith("array_of") || type === "prog_array" ? 4 : 8,
  maxEntries: 1,
  flags: 0,
}));

const TYPES: readonly ProgramType[] = [
  "xdp",
  "sched_cls",
  "socket_filter",
  "cgroup_skb",
  "kprobe",
  "tracepoint",
];

interface Ending {
  /** Anything but these three would be a mistake of the machine's. */
  readonly outcome: "exit" | "fault" | "unsupported";
  /** All that is seen of the run, down to the maps. */
  readonly seen: unknown;
}

/**
 * How a program ends, three times: by generated code as far as that goes, by the same an instruction at a time, and by each instruction's definition.
 */
function endings(type: ProgramType, insns: Slots): readonly Ending[] {
  return [{}, { observed: true }, { generated: false }].map(({ observed = false, generated = true }) => {
    const machine = new Machine(program(type, insns, MAPS), { budget: 2000, generated });
    const maps = (): unknown => machine.maps.flatMap((map) => (map.kind === "values" ? map.entries() : []));
    try {
      const ended = machine.run({ packet: PACKET }, observed ? () => undefined : undefined);
      return { outcome: ended.outcome, seen: [ended, maps()] };
    } catch (error) {
      if (error instanceof Unsupported) return { outcome: "unsupported", seen: [error.message, maps()] };
      throw error;
    }
  });
}

/** Random operands seldom refer to anything: makes the program's registers and jumps meet more often. */
function tamed(insns: Slots): Slots {
  return insns.map((one) => {
    if (one === undefined) return one;
    const { kind } = one.row.operation;
    const jumps = kind === "jump" || kind === "goto" || kind === "may_goto";
    const calls = kind === "call";
    const off = jumps ? Math.abs(one.off) % 4 : one.off % 64;
    const imm = kind === "ld_imm64" ? Math.abs(one.imm) % 5 : calls ? Math.abs(one.imm) % 70 : one.imm;
    return {
      ...one,
      off: one.row.fields.off === "any" ? off : 0,
      imm: one.row.fields.imm === "any" ? imm : 0,
    };
  });
}

/** Programs whose registers all hold something at the start: pointers of each kind among them. */
const PROLOGUE: readonly Instruction[] = [
  insn("mov64_reg", { dst: 6, src: 1 }),
  insn("mov64_reg", { dst: 7, src: 10 }),
  insn("stdw", { dst: 10, off: -8, imm: 0 }),
  insn("add64_imm", { dst: 7, imm: -8 }),
  insn("ld_imm64_map_value", { dst: 8, imm: 0 }),
  insn("ld_imm64_map_fd", { dst: 1, imm: 1 }),
  insn("mov64_reg", { dst: 2, src: 7 }),
  insn("mov64_imm", { dst: 3, imm: 8 }),
  insn("mov64_imm", { dst: 4, imm: 4 }),
  insn("mov64_imm", { dst: 5, imm: 0 }),
  insn("mov64_imm", { dst: 0, imm: 1 }),
  insn("mov64_imm", { dst: 9, imm: 9 }),
];

describe("any program", () => {
  const outcomes = new Map<string, number>();
  test.prop([programs(), fc.constantFrom(...TYPES)], { numRuns: 1500, seed: 6018 })(
    "ends, faults, or is not modelled, whoever executes it",
    (insns, type) => {
      const all = [
        ...layOut(PROLOGUE),
        ...tamed(insns),
        ...layOut([insn("mov64_imm", { dst: 0 }), insn("exit")]),
      ];
      for (const slots of [insns, all]) {
        const [first, ...others] = endings(type, slots);
        for (const other of others) expect(other).toEqual(first);
        const { outcome = "none" } = first ?? {};
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    },
  );

  test("of which there are all kinds", () => {
    expect([...outcomes.keys()].sort()).toEqual(["exit", "fault", "unsupported"]);
  });
});

// --- Programs that move bytes and pointers about

const BASES = ["r7", "r8", "r9", "r10"];
const OFFSETS = [
  -520, -512, -504, -72, -64, -63, -60, -32, -16, -12, -8, -7, -4, -2, -1, 0, 1, 4, 7, 8, 56, 60, 63, 64,
];
const baseAndOffset = fc
  .tuple(fc.constantFrom(...BASES), fc.constantFrom(...OFFSETS))
  .map(([base, offset]) => `(${base} ${offset < 0 ? offset : `+${offset}`})`);
const any = fc.integer({ min: 0, max: 9 }).map((n) => `r${n}`);
const low = fc.integer({ min: 0, max: 5 }).map((n) => `r${n}`);
const unsigned = fc.constantFrom("u8", "u16", "u32", "u64", "u64", "u64");
const signed = fc.constantFrom("s8", "s16", "s32");
const line = fc.oneof(
  fc.tuple(unsigned, baseAndOffset, any).map(([type, place, src]) => `*(${type} *)${place} = ${src}`),
  fc.tuple(unsigned, baseAndOffset).map(([type, place]) => `*(${type} *)${place} = -3`),
  fc.tuple(low, unsigned, baseAndOffset).map(([dst, type, place]) => `${dst} = *(${type} *)${place}`),
  fc.tuple(low, signed, baseAndOffset).map(([dst, type, place]) => `${dst} = *(${type} *)${place}`),
  fc.tuple(low, any).map(([dst, src]) => `${dst} = ${src}`),
  fc.tuple(low, fc.constantFrom("+=", "-=", "^="), any).map(([dst, op, src]) => `${dst} ${op} ${src}`),
  fc
    .tuple(fc.constantFrom("r7", "r8", "r9"), fc.constantFrom(-8, -1, 1, 8))
    .map(([dst, by]) => `${dst} += ${by}`),
  fc.constant("call other"),
);
const lines = fc.array(line, { maxLength: 30 }).map((all) => all.join("\n"));

/** Both functions have pointers to a stack, which may be another's, to a map's value and to the packet. */
const mover = (main: string, other: string): string => `
  r9 = *(u32 *)(r1 +0)
  r8 = map_value[array]+0
  r7 = r10
  r7 += -64
  ${["r0", "r2", "r3", "r4", "r5", "r6"].map((register, i) => `${register} = ${i}`).join("\n")}
  ${main}
  r0 = 0
  exit
other:
  r7 = r1
  r8 = r2
  r9 = r10
  r9 += -64
  r0 = 0
  r6 = 6
  ${other}
  exit`;

describe("programs that move bytes and pointers about", () => {
  const outcomes = new Map<string, number>();
  test.prop([lines, lines], { numRuns: 500, seed: 6018 })(
    "run alike, whoever executes them",
    (main, other) => {
      const [first, ...others] = endings("xdp", assemble(mover(main, other), { maps: MAPS }));
      for (const one of others) expect(one).toEqual(first);
      const { outcome = "none" } = first ?? {};
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    },
  );

  test("to an end or a fault", () => {
    expect([...outcomes.keys()].sort()).toEqual(["exit", "fault"]);
  });
});
