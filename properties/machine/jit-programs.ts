/**
 * Programs drawn by chance for the compiler: loops forwards and backwards and into each other, functions, pointers of all kinds in all registers, spilled and filled, and
 * whatever faults. No verifier has seen them.
 */
import { fc } from "@fast-check/vitest";
import { isWide } from "../../src/semantics/isa/codec.ts";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn } from "../../src/semantics/isa/make.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program, Slots } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";

const plain = { keySize: 4, valueSize: 8, flags: 0 };
export const MAPS: readonly MapDefinition[] = [
  { ...plain, name: "array", type: "array", valueSize: 16, maxEntries: 1 },
  { ...plain, name: "hash", type: "hash", maxEntries: 4 },
  { ...plain, name: "programs", type: "prog_array", valueSize: 4, maxEntries: 2 },
  { ...plain, name: "small", type: "array", valueSize: 3, maxEntries: 3 },
];

const named = (test: (row: Row) => boolean): readonly Row[] => ROWS.filter(test);
const ALU = named(({ operation }) => operation.kind === "alu");
const JUMPS = named(({ operation }) => operation.kind === "jump");
const LOADS = named(({ operation }) => operation.kind === "load");
const STORES = named(({ operation }) => operation.kind === "store");
const ATOMICS = named(({ operation }) =>
  ["atomic", "load_acquire", "store_release"].includes(operation.kind),
);

/** Mostly those that calls leave alone. */
const register = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 6, 7, 8, 9) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 5 }) },
);
/** Mostly those that the beginning of a program fills with pointers. */
const pointer = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(6, 7, 8, 9, 10) },
  { weight: 1, arbitrary: register },
);
const small = fc.integer({ min: -9, max: 40 });
const immediate = fc.oneof(small, fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 255, 65535));
const offset = fc.oneof(
  fc.integer({ min: -3, max: 4 }).map((n) => 8 * n),
  fc.integer({ min: -20, max: 20 }),
);

/** An instruction, with the position among the function's where it goes, or the function that it calls. */
interface Draft {
  readonly row: string;
  readonly operands: Partial<Omit<Instruction, "row">>;
  readonly to?: number;
  readonly callee?: number;
}

const operands = (row: Row, dst: number, src: number, off: number, imm: number): Draft => {
  const { fields } = row;
  return {
    row: row.name,
    operands: {
      dst: fields.dst === "any" ? dst : 0,
      src: fields.src === "any" ? src : 0,
      off: fields.off === "any" ? off : 0,
      imm: fields.imm === "any" ? imm : 0,
    },
  };
};

const arithmetic = fc
  .tuple(fc.constantFrom(...ALU), register, register, immediate)
  .map(([row, dst, src, imm]) => operands(row, dst, src, 0, imm));
const move = fc
  .tuple(
    fc.constantFrom("mov64_reg", "add64_reg", "sub64_reg", "mov64_imm", "add64_imm"),
    register,
    pointer,
    small,
  )
  .map(
    ([row, dst, src, imm]): Draft =>
      row.endsWith("imm") ? { row, operands: { dst, imm } } : { row, operands: { dst, src } },
  );
const access = fc
  .tuple(
    fc.constantFrom(...LOADS, ...LOADS, ...STORES, ...STORES, ...ATOMICS),
    register,
    pointer,
    offset,
    small,
  )
  .map(([row, other, base, off, imm]) =>
    row.operation.kind === "load" || row.operation.kind === "load_acquire"
      ? operands(row, other, base, off, imm)
      : operands(row, base, other, off, imm),
  );
const spilled = fc
  .tuple(fc.boolean(), pointer, fc.integer({ min: 1, max: 5 }))
  .map(
    ([isStore, other, slot]): Draft =>
      isStore
        ? { row: "stxdw", operands: { dst: 10, src: other, off: -8 * slot } }
        : { row: "ldxdw", operands: { dst: other === 10 ? 0 : other, src: 10, off: -8 * slot } },
  );
const jump = fc
  .tuple(fc.constantFrom(...JUMPS), register, register, immediate, fc.nat(60))
  .map(([row, dst, src, imm, to]) => ({ ...operands(row, dst, src, 0, imm), to }));
const other = fc.oneof(
  fc.nat(60).map((to): Draft => ({ row: "may_goto", operands: {}, to })),
  fc.nat(60).map((to): Draft => ({ row: "goto", operands: {}, to })),
  fc.nat(4).map((callee): Draft => ({ row: "call_subprogram", operands: {}, callee })),
  fc.nat(4).map((callee): Draft => ({ row: "call_subprogram", operands: {}, callee })),
  // ktime_get_ns, get_prandom_u32, map_lookup_elem, map_update_elem, tail_call, loop, for_each_map_elem, xdp_adjust_head, skb_store_bytes
  fc
    .constantFrom(5, 7, 1, 1, 1, 2, 12, 181, 164, 44, 9)
    .map((imm): Draft => ({ row: "call_helper", operands: { imm } })),
  fc
    .tuple(register, fc.nat(4))
    .map(([dst, callee]): Draft => ({ row: "ld_imm64_func", operands: { dst }, callee })),
  fc
    .tuple(register, fc.nat(3))
    .map(([dst, imm]): Draft => ({ row: "ld_imm64_map_fd", operands: { dst, imm } })),
  fc
    .tuple(register, fc.nat(3), fc.nat(20))
    .map(([dst, imm, immHigh]): Draft => ({ row: "ld_imm64_map_value", operands: { dst, imm, immHigh } })),
  fc
    .tuple(register, immediate, small)
    .map(([dst, imm, immHigh]): Draft => ({ row: "ld_imm64", operands: { dst, imm, immHigh } })),
  fc
    .tuple(fc.constantFrom("ldabsb", "ldabsh", "ldindw"), register, small)
    .map(([row, src, imm]): Draft => ({ row, operands: row === "ldindw" ? { src, imm } : { imm } })),
  fc.constant<Draft>({ row: "exit", operands: {} }),
);

/** The arguments of a look-up, and the look-up. */
const lookUp: readonly Draft[] = [
  { row: "ld_imm64_map_fd", operands: { dst: 1, imm: 1 } },
  { row: "stw", operands: { dst: 10, off: -4, imm: 1 } },
  { row: "mov64_reg", operands: { dst: 2, src: 10 } },
  { row: "add64_imm", operands: { dst: 2, imm: -4 } },
  { row: "call_helper", operands: { imm: 1 } },
];
const callBack = fc.nat(4).map((callee): readonly Draft[] => [
  { row: "mov64_imm", operands: { dst: 1, imm: 5 } },
  { row: "ld_imm64_func", operands: { dst: 2 }, callee },
  { row: "mov64_reg", operands: { dst: 3, src: 10 } },
  { row: "mov64_imm", operands: { dst: 4, imm: 0 } },
  { row: "call_helper", operands: { imm: 181 } },
]);
const tailCall: readonly Draft[] = [
  { row: "mov64_reg", operands: { dst: 1, src: 6 } },
  { row: "ld_imm64_map_fd", operands: { dst: 2, imm: 2 } },
  { row: "mov64_imm", operands: { dst: 3, imm: 1 } },
  { row: "call_helper", operands: { imm: 12 } },
];

/** Numbers where a call has left nothing. */
const numbers = fc
  .nat(31)
  .map((set): readonly Draft[] =>
    [0, 1, 2, 3, 4, 5]
      .filter((dst) => (set & (1 << dst)) !== 0)
      .map((dst) => ({ row: "mov64_imm", operands: { dst, imm: 3 * dst } })),
  );

const one = (arbitrary: fc.Arbitrary<Draft>): fc.Arbitrary<readonly Draft[]> =>
  arbitrary.map((draft) => [draft]);
const step: fc.Arbitrary<readonly Draft[]> = fc.oneof(
  { weight: 5, arbitrary: one(arithmetic) },
  { weight: 4, arbitrary: one(move) },
  { weight: 6, arbitrary: one(access) },
  { weight: 3, arbitrary: one(spilled) },
  { weight: 4, arbitrary: one(jump) },
  { weight: 2, arbitrary: one(other) },
  { weight: 3, arbitrary: numbers },
  { weight: 1, arbitrary: fc.constant(lookUp) },
  { weight: 1, arbitrary: callBack },
  { weight: 1, arbitrary: fc.constant(tailCall) },
);

/** Fills registers: r6 the context, r7 the packet, r8 a map's value, r9 the stack. */
const PROLOGUE: readonly Draft[] = [
  { row: "mov64_reg", operands: { dst: 6, src: 1 } },
  { row: "ldxw", operands: { dst: 7, src: 1, off: 0 } },
  { row: "ld_imm64_map_value", operands: { dst: 8, imm: 0 } },
  { row: "mov64_reg", operands: { dst: 9, src: 10 } },
  { row: "add64_imm", operands: { dst: 9, imm: -16 } },
  { row: "stdw", operands: { dst: 10, off: -8, imm: 7 } },
  { row: "stxdw", operands: { dst: 10, src: 7, off: -16 } },
  { row: "mov64_imm", operands: { dst: 0, imm: 0 } },
  { row: "mov64_imm", operands: { dst: 2, imm: 3 } },
  { row: "mov64_imm", operands: { dst: 3, imm: 20 } },
  { row: "mov64_imm", operands: { dst: 4, imm: 1 } },
];
const FUNCTION_PROLOGUE: readonly Draft[] = [
  { row: "mov64_reg", operands: { dst: 6, src: 2 } },
  { row: "mov64_reg", operands: { dst: 7, src: 10 } },
  { row: "add64_imm", operands: { dst: 7, imm: -24 } },
  { row: "mov64_imm", operands: { dst: 8, imm: 4 } },
  { row: "mov64_reg", operands: { dst: 9, src: 1 } },
  { row: "mov64_imm", operands: { dst: 0, imm: 1 } },
  { row: "stdw", operands: { dst: 10, off: -24, imm: 7 } },
];
const END: readonly Draft[] = [
  { row: "mov64_imm", operands: { dst: 0, imm: 0 } },
  { row: "exit", operands: {} },
];

function link(functions: readonly (readonly Draft[])[]): Slots {
  const slots: (Instruction | undefined)[] = [];
  const starts: number[] = [];
  const fixes: { readonly at: number; readonly draft: Draft; readonly places: readonly number[] }[] = [];
  for (const drafts of functions) {
    starts.push(slots.length);
    const places: number[] = [];
    for (const draft of drafts) {
      places.push(slots.length);
      fixes.push({ at: slots.length, draft, places });
      const made = insn(draft.row, draft.operands);
      slots.push(made, ...(isWide(made.row) ? [undefined] : []));
    }
  }
  for (const { at, draft, places } of fixes) {
    const { to, callee, row, operands: given } = draft;
    if (to !== undefined)
      slots[at] = insn(row, { ...given, off: (places[to % places.length] ?? 0) - at - 1 });
    if (callee !== undefined)
      slots[at] = insn(row, { ...given, imm: (starts[callee % starts.length] ?? 0) - at - 1 });
  }
  return slots;
}

const body = fc.array(step, { minLength: 1, maxLength: 18 }).map((steps) => steps.flat());

/** Two programs that share their maps, the second one in the program array. */
export const programPairs: fc.Arbitrary<readonly Program[]> = fc
  .tuple(
    fc.constantFrom<ProgramType>("xdp", "xdp", "sched_cls", "socket_filter", "cgroup_skb", "kprobe"),
    fc.array(body, { minLength: 1, maxLength: 3 }),
    fc.array(body, { minLength: 1, maxLength: 2 }),
    fc.boolean(),
  )
  .map(([type, first, second, hasPrologue]) => {
    const maps = MAPS.map((map) =>
      map.type === "prog_array" ? { ...map, holds: [{ index: 1, name: "second" }] } : map,
    );
    const make = (name: string, bodies: readonly (readonly Draft[])[], start: readonly Draft[]): Program => {
      const functions = bodies.map((drafts, i) => [
        ...(i === 0 ? start : FUNCTION_PROLOGUE),
        ...drafts,
        ...END,
      ]);
      return {
        name,
        type,
        license: "GPL",
        flags: [],
        insns: link(functions),
        maps,
        lines: [],
        functions: [],
      };
    };
    return [make("first", first, hasPrologue ? PROLOGUE : []), make("second", second, PROLOGUE)];
  });
