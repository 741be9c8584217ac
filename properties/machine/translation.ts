/**
 * What the machine's generated code has to do, said of its paths as `src/proof/translation` reads them: for the functions of single effects, for the handlers of the interpreter, and for
 * the pieces of which the JIT makes functions. Each gives a condition that no numbers may fulfil: that a path is taken, and does something else or traps.
 */
import type { DecodedFunction } from "../../src/proof/translation/decode.ts";
import { withoutDivision } from "../../src/proof/translation/divisions.ts";
import {
  type Path,
  type Place,
  pathsOf,
  type StoredBytes,
  wordAt,
} from "../../src/proof/translation/execute.ts";
import type { Operation, Row, Size } from "../../src/semantics/isa/instruction.ts";
import { DST, LOADED, R0, SRC } from "../../src/semantics/isa/row.ts";
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  extract,
  FALSE,
  ite,
  ne,
  not,
  sext,
  sub,
  TRUE,
  ult,
  variable,
  zext,
} from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { substitution } from "../../src/semantics/term/substitute.ts";
import { NEXT_AT } from "../../src/vm/dispatch/module.ts";
import { OP, OP_SIZE } from "../../src/vm/dispatch/record.ts";
import { REGISTERS_AT, SCALAR_RECORD, TAGS_AT } from "../../src/vm/memory.ts";
import { MARK, MARKS, RECORD, RECORD_KIND, TAGS } from "../../src/vm/region-record.ts";

type Values = ReadonlyMap<Term, Term>;

const put = <N extends number>(term: Term<N>, values: Values): Term<N> => substitution(values)(term);

/** That one of the paths is taken, and traps or does not do what is wanted of it. */
function wrong(paths: readonly Path[], wanted: (path: Path) => Term<1>): Term<1> {
  return withoutDivision(any(...paths.map((path) => and(path.condition, not(and(path.safe, wanted(path)))))));
}

const same = (a: Term, b: Term): Term<1> => (a.width === b.width ? eq(a, b) : FALSE);

/** That exactly these bytes are stored, each place once. */
function stores(actual: readonly StoredBytes[], wanted: readonly StoredBytes[]): Term<1> {
  if (actual.length !== wanted.length) return FALSE;
  return all(
    ...wanted.map(({ base, offset, size, value }) => {
      const found = actual.find((a) => a.base === base && a.offset === offset && a.size === size);
      return found === undefined ? FALSE : same(found.value, value);
    }),
  );
}

// --- Functions of effects: (a, b, c, d), addresses of 8-byte words

const POINTERS = ["a", "b", "c", "d"].map((name) => variable(name, 32));
const pointer = (index: number): Term => POINTERS[index] ?? constant(32, 0);
const word = (index: number): Term => wordAt(pointer(index), 0, 8);
const part = (index: number, size: number): Term => wordAt(pointer(index), 0, size);
const into = (index: number, value: Term): StoredBytes => ({
  base: pointer(index),
  offset: 0,
  size: 8,
  value: zext(64, value),
});

interface Effect {
  readonly stored: readonly StoredBytes[];
  readonly result?: Term;
}

function effectOf(operation: Operation): Effect | undefined {
  const given = (...values: readonly (readonly [Term, Term])[]): Values => new Map(values);
  switch (operation.kind) {
    case "alu":
      return { stored: [into(0, put(operation.result, given([DST, word(0)], [SRC, word(1)])))] };
    case "jump":
      return { stored: [], result: put(operation.taken, given([DST, word(0)], [SRC, word(1)])) };
    case "load":
    case "load_acquire":
    case "packet": {
      const { size, result } = operation;
      return { stored: [into(0, put(result, given([LOADED[size], part(1, size)])))] };
    }
    case "store":
    case "store_release":
      return { stored: [into(0, put(operation.stored, given([SRC, word(1)])))] };
    case "atomic": {
      const { size, stored, source, r0 } = operation;
      const values = given([LOADED[size], part(1, size)], [SRC, word(2)], [R0, word(3)]);
      return {
        stored: [
          into(0, put(stored, values)),
          ...(source === undefined ? [] : [into(2, put(source, values))]),
          ...(r0 === undefined ? [] : [into(3, put(r0, values))]),
        ],
      };
    }
    default:
      return undefined;
  }
}

/** That the function of a row's effect is wrong. */
export function wrongEffect({ name, operation }: Row, code: DecodedFunction): Term<1> {
  const effect = effectOf(operation);
  if (effect === undefined) throw new Error(`${name} has no effect of its own`);
  const { stored, result = constant(32, 0) } = effect;
  return wrong(pathsOf(code, { parameters: POINTERS }), (path) => {
    const returned = path.values[0];
    if (path.end !== "results" || returned === undefined || path.values.length !== 1) return FALSE;
    return and(stores(path.stores, stored), same(returned, zext(32, result)));
  });
}

// --- The JIT's pieces, as they are filled into a function

/** Locals of the function, one of which is nobody's; the address is that of what is accessed, apart from an offset. */
export const PIECE = { src: 1, dst: 2, r0: 3, address: 4, offset: 24, temporaries: 5 } as const;
const ADDRESS = variable("address", 32);
const [PIECE_SRC, PIECE_DST, PIECE_R0] = [variable("src", 64), variable("dst", 64), variable("r0", 64)];
const PIECE_LOCALS = [variable("other", 64), PIECE_SRC, PIECE_DST, PIECE_R0, ADDRESS];

/** That a piece is wrong; `imm` is the immediate if it has one. */
export function wrongPiece(
  { name, operation }: Row,
  imm: number | undefined,
  code: DecodedFunction,
): Term<1> {
  const size = "size" in operation ? operation.size : 1;
  const values = new Map([
    [DST, PIECE_DST],
    [SRC, imm === undefined ? PIECE_SRC : constant(64, imm)],
    [R0, PIECE_R0],
    [LOADED[size], wordAt(ADDRESS, PIECE.offset, size)],
  ]);
  const { stored, result } = pieceOf(operation);
  if (stored === undefined && result === undefined) throw new Error(`${name} has no effect of its own`);
  const bytes = { base: ADDRESS, offset: PIECE.offset, size };
  const wanted = stored === undefined ? [] : [{ ...bytes, value: put(stored, values) }];
  return wrong(pathsOf(code, { parameters: PIECE_LOCALS }), (path) => {
    const [value] = path.values;
    if (path.end !== "results" || path.values.length !== (result === undefined ? 0 : 1)) return FALSE;
    const given =
      result === undefined || value === undefined
        ? TRUE
        : same(value, zext(result.width === 64 ? 64 : 32, put(result, values)));
    return and(stores(path.stores, wanted), given);
  });
}

/** What goes to memory, and what is left on the stack. */
function pieceOf(operation: Operation): { readonly stored?: Term; readonly result?: Term } {
  switch (operation.kind) {
    case "alu":
    case "load":
    case "load_acquire":
      return { result: operation.result };
    case "jump":
      return { result: operation.taken };
    case "store":
    case "store_release":
      return { stored: operation.stored };
    case "atomic": {
      const { stored, source, r0 } = operation;
      const result = source ?? r0;
      return { stored, ...(result === undefined ? {} : { result }) };
    }
    default:
      return {};
  }
}

// --- Handlers of the interpreter

const OPCODE_RECORD = variable("op", 32);
const LEFT = variable("left", 32);

const field = (offset: number, size: number): Term<32> => zext(32, wordAt(OPCODE_RECORD, offset, size));
const REGISTER = { dst: field(OP.dst, 1), src: field(OP.src, 1) };
type Register = keyof typeof REGISTER;
const valueOf = (register: Register): Term<64> => zext(64, wordAt(REGISTER[register], REGISTERS_AT, 8));
const tagOf = (register: Register): Term<32> => zext(32, wordAt(REGISTER[register], TAGS_AT, 4));
const DISPLACEMENT = field(OP.displacement, 4);
const IMMEDIATE = zext(64, wordAt(OPCODE_RECORD, OP.immediate, 8));
const SCALAR = constant(32, SCALAR_RECORD);
const UNWRITTEN = constant(32, 0);

const REGISTER_FILE = 88;
/** Registers lie apart from tags, and both from programs' memory and from code. */
function apart(a: Place, b: Place): boolean {
  const kind = ({ base }: Place): string =>
    base === REGISTER.dst || base === REGISTER.src ? "registers" : base === OPCODE_RECORD ? "code" : "memory";
  if (kind(a) !== kind(b)) return true;
  return kind(a) === "registers" && Math.abs(a.offset - b.offset) >= REGISTER_FILE;
}

const register = (value: Term, tag: Term): readonly StoredBytes[] => [
  { base: REGISTER.dst, offset: REGISTERS_AT, size: 8, value },
  { base: REGISTER.dst, offset: TAGS_AT, size: 4, value: tag },
];

/** That a path goes on at a record, having counted one instruction. */
function goesOn({ end, values }: Path, next: Term): Term<1> {
  const [op, left] = values;
  if (end !== "again" || op === undefined || left === undefined) return FALSE;
  return and(same(op, next), same(left, sub(LEFT, constant(32, 1))));
}

/** That a path ends before the instruction: at the end of the stretch or because it is left to others. */
function stops({ end, values, stores: stored }: Path): Term<1> {
  const [left] = values;
  if (end !== "results" || left === undefined || values.length !== 1) return FALSE;
  const place = { base: constant(32, 0), offset: NEXT_AT, size: 4 };
  return and(stores(stored, [{ ...place, value: OPCODE_RECORD }]), same(left, LEFT));
}

const next = (slots = 1): Term<32> => add(OPCODE_RECORD, constant(32, OP_SIZE * slots));

const isWritten = (one: Register): Term<1> => ne(tagOf(one), UNWRITTEN);

/** The registers whose values an arithmetic operation or jump needs. */
function needs({ op, operand }: { readonly op: string; readonly operand: string }): Term<1> {
  const dst = op.startsWith("mov") ? TRUE : isWritten("dst");
  return operand === "reg" ? and(dst, isWritten("src")) : dst;
}

const operand = (kind: string): Term<64> => (kind === "reg" ? valueOf("src") : IMMEDIATE);

/** What pointers' provenance becomes: only 64-bit moves, additions and subtractions keep any. */
function tagAfter({ op, width, operand: kind }: Operation & { readonly kind: "alu" }): Term<32> {
  const [dst, src] = [tagOf("dst"), kind === "reg" ? tagOf("src") : SCALAR];
  if (width === 32) return SCALAR;
  if (op === "mov") return src;
  if (op === "add") return ite(eq(src, SCALAR), dst, ite(eq(dst, SCALAR), src, SCALAR));
  return op === "sub" ? ite(eq(src, SCALAR), dst, SCALAR) : SCALAR;
}

function aluPath(operation: Operation & { readonly kind: "alu" }, path: Path): Term<1> {
  const values = new Map([
    [DST, valueOf("dst")],
    [SRC, operand(operation.operand)],
  ]);
  const after = register(put(operation.result, values), tagAfter(operation));
  const [value, tag] = after;
  const kept = path.stores.length === 1 && value !== undefined && tag !== undefined;
  const stored = kept
    ? and(stores(path.stores, [value]), same(tag.value, tagOf("dst")))
    : stores(path.stores, after);
  return all(needs(operation), stored, goesOn(path, next()));
}

function jumpPath(operation: Operation & { readonly kind: "jump" }, path: Path): Term<1> {
  const values = new Map([
    [DST, valueOf("dst")],
    [SRC, operand(operation.operand)],
  ]);
  const target = ite(put(operation.taken, values), add(OPCODE_RECORD, DISPLACEMENT), next());
  return all(needs(operation), stores(path.stores, []), goesOn(path, target));
}

// Memory: the address, where it lies, and what the region's record says of it

const EXPONENT = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;

interface Access {
  readonly at: Term<32>;
  /** That the access is plain by the region's record; that it is an aligned one of a stack. */
  readonly plain: Term<1>;
  readonly ofStack: Term<1>;
  readonly region: Term<32>;
}

function accessBy(base: Register, size: Size, limits: number, own: boolean): Access {
  const address = add(valueOf(base), sext(64, DISPLACEMENT));
  const region = tagOf(base);
  const at = own
    ? add(zext(32, wordAt(REGISTER[base], REGISTERS_AT, 4)), DISPLACEMENT)
    : extract(32, address);
  // Programs' code is placed so that an access relative to r10 is aligned and in bounds.
  if (own) return { at, plain: FALSE, ofStack: same(at, extract(32, address)), region };
  const distance = sub(address, zext(64, wordAt(region, RECORD.first, 8)));
  const below = (offset: number): Term<1> => ult(distance, zext(64, zext(32, wordAt(region, offset, 4))));
  const aligned = eq(and(at, constant(32, size - 1)), constant(32, 0));
  return {
    at,
    plain: below(limits + 4 * EXPONENT[size]),
    ofStack: and(below(RECORD.stack), aligned),
    region,
  };
}

const marksAre = (at: Term, size: number, mark: number): Term<1> =>
  all(...Array.from({ length: size }, (_, i) => eq(wordAt(at, MARKS + i, 1), constant(8, mark))));

function loadPath(operation: Operation & { readonly kind: "load" }, own: boolean, path: Path): Term<1> {
  const { size, result } = operation;
  const { at, plain, ofStack } = accessBy("src", size, RECORD.reads, own);
  const bytes = wordAt(at, 0, size);
  const number = register(put(result, new Map([[LOADED[size], bytes]])), SCALAR);
  const pointer = register(wordAt(at, 0, 8), zext(32, wordAt(at, TAGS, 4)));
  const data = all(any(plain, and(ofStack, marksAre(at, size, MARK.data))), stores(path.stores, number));
  const spilled = all(ofStack, marksAre(at, 8, MARK.pointer), stores(path.stores, pointer));
  return and(any(data, size === 8 ? spilled : FALSE), goesOn(path, next()));
}

function storePath(operation: Operation & { readonly kind: "store" }, own: boolean, path: Path): Term<1> {
  const { size, operand: kind, stored } = operation;
  const { at, plain, ofStack, region } = accessBy("dst", size, RECORD.writes, own);
  const value = put(stored, new Map([[SRC, operand(kind)]]));
  const bytes = { base: at, offset: 0, size, value };
  const marks = (mark: number): StoredBytes => {
    const all8 = BigInt(mark) * 0x0101010101010101n;
    return { base: at, offset: MARKS, size, value: constant(8 * size, all8) };
  };
  const slot = size === 8 ? at : and(at, constant(32, -8));
  const mark = wordAt(slot, MARKS, 1);
  const notKept = ne(mark, constant(8, MARK.kept));
  const noTag = and(notKept, size === 8 ? TRUE : ne(mark, constant(8, MARK.pointer)));
  const tag = tagOf("src");
  const isNumber = kind === "reg" && size === 8 ? eq(tag, SCALAR) : TRUE;
  const asData = all(ofStack, noTag, isNumber, stores(path.stores, [bytes, marks(MARK.data)]));
  const isForeign = all(
    eq(zext(32, wordAt(tag, RECORD.kind, 4)), constant(32, RECORD_KIND.stack)),
    ne(tag, region),
  );
  const note = { base: at, offset: TAGS, size: 4, value: tag };
  const asPointer = all(
    ofStack,
    noTag,
    not(eq(tag, SCALAR)),
    not(isForeign),
    stores(path.stores, [bytes, marks(MARK.pointer), note]),
  );
  const done = any(
    and(plain, stores(path.stores, [bytes])),
    asData,
    kind === "reg" && size === 8 ? asPointer : FALSE,
  );
  return all(kind === "reg" ? isWritten("src") : TRUE, done, goesOn(path, next()));
}

function handled({ operation }: Row, own: boolean, path: Path): Term<1> {
  switch (operation.kind) {
    case "alu":
      return aluPath(operation, path);
    case "jump":
      return jumpPath(operation, path);
    case "goto":
      return and(stores(path.stores, []), goesOn(path, add(OPCODE_RECORD, DISPLACEMENT)));
    case "ld_imm64":
      return and(stores(path.stores, register(IMMEDIATE, SCALAR)), goesOn(path, next(2)));
    case "load":
      return loadPath(operation, own, path);
    case "store":
      return storePath(operation, own, path);
    default:
      return FALSE;
  }
}

/** The paths of the interpreter's function through an instruction with a code. */
export function handlerPaths(dispatch: DecodedFunction, code: number): readonly Path[] {
  return pathsOf(dispatch, {
    parameters: [OPCODE_RECORD, LEFT],
    known: (base, offset) =>
      base === OPCODE_RECORD && offset < 2 ? (code >> (8 * offset)) & 0xff : undefined,
    apart,
  });
}

/** That the handler of a row with a code is wrong; `own` if it is the one for memory relative to r10. */
export function wrongHandler(row: Row, own: boolean, paths: readonly Path[]): Term<1> {
  return wrong(paths, (path) => (path.end === "results" ? stops(path) : handled(row, own, path)));
}
