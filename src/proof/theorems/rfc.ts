/**
 * RFC 9669 on the instruction table: its corner cases, each written here from the text of the standard and not from the table.
 *
 * Section 4.1: division by zero gives 0, modulo by zero leaves the destination, the least number s/ -1 is itself and s% -1 is 0, shifts take
 * their count modulo the width, 32-bit operations clear the upper half. Section 4.2: byte order. Section 4.3: jumps. Section 5: loads.
 */
import type { AluOp, JumpOp } from "../../semantics/isa/instruction.ts";
import { DST, LOADED, SRC } from "../../semantics/isa/row.ts";
import { ROWS, rowByName } from "../../semantics/isa/table.ts";
import {
  add,
  all,
  and,
  concat,
  constant,
  eq,
  extract,
  mul,
  ne,
  not,
  or,
  sext,
  shl,
  slt,
  sub,
  ult,
  variable,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { bits, integers, type Method } from "../methods.ts";
import type { Obligation, Theorem } from "../theorem.ts";
import { only, resultIs, takenIf } from "./runs.ts";

type Width = 32 | 64;
const WIDTHS = [64, 32] as const;

/** The result of a row for given operands. */
function effect(row: string, dst: Term<64>, src: Term<64>): Term<64> {
  const { operation } = rowByName(row);
  if (operation.kind !== "alu") throw new Error(`${row} is no arithmetic`);
  return substitution(new Map<Term, Term>([[DST, dst] as const, [SRC, src] as const]))(operation.result);
}

function taken(row: string, dst: Term<64>, src: Term<64>): Term<1> {
  const { operation } = rowByName(row);
  if (operation.kind !== "jump") throw new Error(`${row} is no jump`);
  return substitution(new Map<Term, Term>([[DST, dst] as const, [SRC, src] as const]))(operation.taken);
}

const [X, Y] = [variable("x", 64), variable("y", 64)];
const lower = (t: Term<64>): Term<32> => extract(32, t);
/** What an operation of a width leaves of a register. */
const kept = (width: Width, t: Term<64>): Term<64> => (width === 64 ? t : zext(64, lower(t)));
/** The operand of an operation of a width is this number, whatever the upper half of its register. */
const is = (width: Width, t: Term<64>, value: bigint): Term<1> =>
  width === 64 ? eq(t, constant(64, value)) : eq(lower(t), constant(32, value));
const number = (width: Width, value: bigint): Term<64> =>
  constant(64, width === 64 ? value : BigInt.asUintN(32, value));
const lowest = (width: Width): bigint => 1n << BigInt(width - 1);

/** For all x and y with `given`, a row gives `wanted`. */
interface Corner {
  readonly name: string;
  readonly op: AluOp;
  readonly width: Width;
  readonly given: readonly Term<1>[];
  readonly gives: Term<64>;
  readonly wanted: Term<64>;
  /** What it must not be taken for: refuted. */
  readonly mistake: { readonly name: string; readonly gives: Term<64> };
}

const corners = (width: Width): readonly Corner[] => {
  const row = (op: string): string => `${op}${width}_reg`;
  const of = (op: string, dst = X, src = Y): Term<64> => effect(row(op), dst, src);
  const corner = (
    op: AluOp,
    what: string,
    given: readonly Term<1>[],
    wanted: Term<64>,
    mistake: Corner["mistake"],
  ): Corner => ({
    name: `rfc/${op}${width}/${what}`,
    op,
    width,
    given,
    gives: of(op),
    wanted,
    mistake,
  });
  const byZero = [is(width, Y, 0n)];
  const overflow = [is(width, X, lowest(width)), is(width, Y, -1n)];
  const masked = and(Y, constant(64, width - 1));
  return [
    corner("div", "by zero gives 0", byZero, number(width, 0n), {
      name: "all ones",
      gives: number(width, -1n),
    }),
    corner("sdiv", "by zero gives 0", byZero, number(width, 0n), {
      name: "all ones",
      gives: number(width, -1n),
    }),
    corner("mod", "by zero leaves the dividend", byZero, kept(width, X), {
      name: "0",
      gives: number(width, 0n),
    }),
    corner("smod", "by zero leaves the dividend", byZero, kept(width, X), {
      name: "0",
      gives: number(width, 0n),
    }),
    corner("sdiv", "the least number by -1 is itself", overflow, number(width, lowest(width)), {
      name: "the greatest number",
      gives: number(width, lowest(width) - 1n),
    }),
    corner("smod", "the least number by -1 leaves 0", overflow, number(width, 0n), {
      name: "the dividend",
      gives: kept(width, X),
    }),
    ...(["lsh", "rsh", "arsh"] as const).map((op) =>
      corner(op, "takes its count modulo the width", [], of(op, X, masked), {
        name: "modulo another width",
        gives: of(op, X, and(Y, constant(64, width / 2 - 1))),
      }),
    ),
  ];
};

const cornerTheorem = ({ name, op, width, given, gives, wanted, mistake }: Corner): Theorem => ({
  name,
  subject: `${op}${width}`,
  says: "rfc",
  width,
  full: true,
  inputs: "any",
  obligations: () => bits({ name: "result", premises: given, goal: eq(gives, wanted) }),
  whole: () => resultIs(wanted, gives, { kind: "alu", op, width }, { premises: given }),
  wrong: [
    {
      name: mistake.name,
      obligations: () => bits({ name: "result", premises: given, goal: eq(mistake.gives, wanted) }),
      whole: () => resultIs(mistake.gives, gives, { kind: "alu", op, width }, { premises: given }),
    },
  ],
});

/** A claim, and what a run breaks if it is wrong. */
interface Said {
  readonly goal: Term<1>;
  readonly whole: readonly Obligation[];
}

/** A fact as such, and one that looks like it and does not hold. */
function fact(
  name: string,
  subject: string,
  width: Width,
  right: Said,
  mistake: Said & { readonly name: string },
  by: Method = bits,
  premises: readonly Term<1>[] = [],
): Theorem {
  return {
    name: `rfc/${name}`,
    subject,
    says: "rfc",
    width,
    full: true,
    inputs: "any",
    obligations: () => by({ name: "fact", premises, goal: right.goal }),
    whole: () => right.whole,
    wrong: [
      {
        name: mistake.name,
        obligations: () => by({ name: "fact", premises, goal: mistake.goal }),
        whole: () => mistake.whole,
      },
    ],
  };
}

/** Section 4.1: "the upper 32 bits of the destination are set to zero". */
const clearing = (): readonly Theorem[] =>
  ROWS.flatMap(({ name, operation }): readonly Theorem[] => {
    if (operation.kind !== "alu" || operation.width !== 32 || operation.operand === "imm") return [];
    // Byte order operations are listed with the 32-bit class; those of 64 bits use all of them.
    if (operation.op.endsWith("64")) return [];
    const result = effect(name, X, Y);
    const { op } = operation;
    const isUpper = (upper: Term<32>): Said => ({
      goal: eq(extract(32, result, 32), upper),
      whole: resultIs(concat(64, upper, lower(result)), result, { kind: "alu", op, width: 32 }),
    });
    return [
      fact(`${name}/clears the upper half`, op, 32, isUpper(constant(32, 0)), {
        name: "repeats the lower half",
        ...isUpper(lower(result)),
      }),
    ];
  });

/** Dividend = quotient times divisor plus remainder, with the remainder below the divisor: unsigned, over integers. */
const division = (width: Width): Theorem => {
  const part = (t: Term<64>): Term => (width === 64 ? t : lower(t));
  const quotient = effect(`div${width}_reg`, X, Y);
  const [n, d, q] = [part(X), part(Y), part(quotient)];
  const wide = (t: Term): Term => zext(2 * width, t);
  const given = [ne(d, constant(width, 0))];
  const remainder = effect(`mod${width}_reg`, X, Y);
  const isRemainder = (left: Term, claimed: Term<64>): Said => ({
    goal: and(eq(wide(n), add(mul(wide(q), wide(d)), wide(left))), ult(left, d)),
    whole: resultIs(claimed, remainder, { kind: "alu", op: "mod", width }, { premises: given }),
  });
  return fact(
    `div${width} and mod${width}/dividend is quotient times divisor plus remainder`,
    `div${width}`,
    width,
    isRemainder(part(remainder), kept(width, sub(X, mul(quotient, Y)))),
    { name: "no remainder", ...isRemainder(constant(width, 0), constant(64, 0)) },
    integers,
    given,
  );
};

const byte = (t: Term<64>, i: number): Term<8> => extract(8, t, 8 * i);

/** The number of eight bytes, the least significant first. */
const bytes = (of: (i: number) => Term<8>): Term<64> =>
  Array.from({ length: 8 }, (_, i) => of(i)).reduce<Term<64>>(
    (sum, one, i) => or(sum, shl(zext(64, one), constant(64, 8 * i))),
    constant(64, 0),
  );

/** Section 4.2, by bytes: on a little-endian machine `be` and `bswap` reverse the low bytes, `le` keeps them, and all clear the rest. */
const byteOrder = (): readonly Theorem[] =>
  (["le", "be", "bswap"] as const).flatMap((op) =>
    ([16, 32, 64] as const).map((size): Theorem => {
      const result = effect(`${op}${size}`, X, Y);
      const count = size / 8;
      const from = (i: number): Term<8> =>
        i >= count ? constant(8, 0) : byte(X, op === "le" ? i : count - 1 - i);
      const instruction = { kind: "alu", op: `${op}${size}`, width: size === 64 ? 64 : 32 } as const;
      const isMadeOf = (source: (i: number) => Term<8>): Said => ({
        goal: all(...Array.from({ length: 8 }, (_, i) => eq(byte(result, i), source(i)))),
        whole: resultIs(bytes(source), result, instruction),
      });
      const other = (i: number): Term<8> => from(i === 0 ? 1 : i === 1 ? 0 : i);
      return fact(`${op}${size}/bytes`, `${op}${size}`, 64, isMadeOf(from), {
        name: "two bytes exchanged",
        ...isMadeOf(other),
      });
    }),
  );

/** Section 4.3: jump pairs are complementary, signed order is unsigned order with the sign bits turned, JMP32 looks at the low halves alone. */
const OPPOSITES: readonly (readonly [JumpOp, JumpOp])[] = [
  ["jeq", "jne"],
  ["jgt", "jle"],
  ["jge", "jlt"],
  ["jsgt", "jsle"],
  ["jsge", "jslt"],
];
const SIGNED: readonly (readonly [JumpOp, JumpOp])[] = [
  ["jsgt", "jgt"],
  ["jsge", "jge"],
  ["jslt", "jlt"],
  ["jsle", "jle"],
];
const JUMPS = ["jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset"] as const;

const jumps = (width: Width): readonly Theorem[] => {
  const row = (op: JumpOp): string => `${op}${width}_reg`;
  const sign = constant(64, lowest(width));
  const isTakenIf = (op: JumpOp, claimed: Term<1>): Said => {
    const takes = taken(row(op), X, Y);
    return { goal: eq(takes, claimed), whole: takenIf(claimed, takes, { condition: op, width }) };
  };
  return [
    ...OPPOSITES.map(([op, opposite]) =>
      fact(
        `${op}${width}/is the opposite of ${opposite}${width}`,
        `${op}${width}`,
        width,
        isTakenIf(op, not(taken(row(opposite), X, Y))),
        { name: "is the same", ...isTakenIf(op, taken(row(opposite), X, Y)) },
      ),
    ),
    ...SIGNED.map(([op, unsigned]) =>
      fact(
        `${op}${width}/is ${unsigned}${width} with the signs turned`,
        `${op}${width}`,
        width,
        isTakenIf(op, taken(row(unsigned), xor(X, sign), xor(Y, sign))),
        { name: "is the unsigned one", ...isTakenIf(op, taken(row(unsigned), X, Y)) },
      ),
    ),
    fact(
      `jset${width}/is taken if a bit is set in both`,
      `jset${width}`,
      width,
      isTakenIf("jset", ne(kept(width, and(X, Y)), constant(64, 0))),
      { name: "a bit is set in either", ...isTakenIf("jset", ne(kept(width, or(X, Y)), constant(64, 0))) },
    ),
  ];
};

const lowHalvesDecide = (): readonly Theorem[] => {
  const other = (t: Term<64>, upper: string): Term<64> => concat(64, variable(upper, 32), lower(t));
  const [x, y] = [other(X, "u"), other(Y, "v")];
  const doesAlike = (op: JumpOp, width: Width): Said => {
    const [one, another] = [taken(`${op}${width}_reg`, X, Y), taken(`${op}${width}_reg`, x, y)];
    const whole = takenIf(one, another, { condition: op, width }, { operands: [only(x), only(y)] });
    return { goal: eq(one, another), whole };
  };
  return JUMPS.map((op) =>
    fact(`${op}32/looks at the low halves alone`, `${op}32`, 32, doesAlike(op, 32), {
      name: "the 64-bit jump does",
      ...doesAlike(op, 64),
    }),
  );
};

/** Section 5.1 and 5.2: a load extends what it reads with zeros, or with its sign. */
const loads = (): readonly Theorem[] =>
  ROWS.flatMap(({ name, operation }): readonly Theorem[] => {
    if (operation.kind !== "load") return [];
    const { size, signed, result } = operation;
    const read: Term = LOADED[size];
    const width = 8 * size;
    const low = eq<number>(extract(width, result), read);
    const loaded = zext(64, read);
    const says = (goal: Term<1>, claimed: Term<64>): Said => ({
      goal,
      whole: resultIs(claimed, result, { kind: "load", size, signed }, { operands: [only(loaded)] }),
    });
    if (width === 64) {
      const turned = (t: Term<64>): Term<64> => xor(t, constant(64, 1n << 63n));
      return [
        fact(`${name}/all eight bytes`, name, 64, says(low, loaded), {
          name: "the sign bit is turned",
          ...says(eq<number>(turned(result), read), turned(loaded)),
        }),
      ];
    }
    const above = extract(64 - width, result, width);
    const sign = slt(read, constant(width, 0));
    const [zeros, ones] = [eq(above, constant(64 - width, 0)), eq(above, constant(64 - width, -1))];
    const bySign = or(and(sign, ones), and(not(sign), zeros));
    const withSign = says(and(low, bySign), sext(64, read));
    const withZeros = says(and(low, zeros), loaded);
    return [
      fact(`${name}/extends with ${signed ? "its sign" : "zeros"}`, name, 64, signed ? withSign : withZeros, {
        name: "the other way",
        ...(signed ? withZeros : withSign),
      }),
    ];
  });

/** An immediate stands for the number that a register with its sign extension holds: both forms say the same of the same operands. */
const immediates = (): readonly Theorem[] => {
  // What any instruction may have for an immediate, be it a divisor or a shift's count.
  const premises = [ult(sub(Y, constant(64, 1)), constant(64, 31))];
  const on = { premises, operands: [only(X)] };
  return ROWS.flatMap(({ name, operation }): readonly Theorem[] => {
    if (!name.endsWith("_imm")) return [];
    const registers = name.replace(/_imm$/, "_reg");
    if (operation.kind === "alu") {
      const { op, width } = operation;
      const result = effect(name, X, Y);
      const gives = (claimed: Term<64>): Said => ({
        goal: eq(result, claimed),
        whole: resultIs(claimed, result, { kind: "alu", op, width, immediate: Y }, on),
      });
      return [
        fact(`${name}/does what ${registers} does`, op, width, gives(effect(registers, X, Y)), {
          name: "with the operands exchanged, and one more",
          ...gives(add(effect(registers, Y, X), constant(64, 1))),
        }),
      ];
    }
    if (operation.kind === "jump") {
      const { op, width } = operation;
      const condition = taken(name, X, Y);
      const isTakenIf = (claimed: Term<1>): Said => ({
        goal: eq(condition, claimed),
        whole: takenIf(claimed, condition, { condition: op, width, immediate: Y }, on),
      });
      const asRegisters = taken(registers, X, Y);
      return [
        fact(`${name}/jumps when ${registers} does`, op, width, isTakenIf(asRegisters), {
          name: "is the opposite",
          ...isTakenIf(not(asRegisters)),
        }),
      ];
    }
    return [];
  });
};

export const rfcTheorems = (): readonly Theorem[] => [
  ...WIDTHS.flatMap(corners).map(cornerTheorem),
  ...WIDTHS.map(division),
  ...clearing(),
  ...byteOrder(),
  ...WIDTHS.flatMap(jumps),
  ...lowHalvesDecide(),
  ...loads(),
  ...immediates(),
];
