/**
 * Accesses to stacks through registers of which nothing is known beforehand: a function's arguments point to its callers' stacks. Numbers are loaded and stored here; what else may lie there, or
 * lie in the way, is left to the machine.
 */
import { SCALAR_RECORD } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import { MARK, MARKS, RECORD } from "../region-record.ts";
import { OP } from "./code.ts";
import { KIND } from "./kinds.ts";
import { LOCAL } from "./locals.ts";
import type { Writer } from "./writer.ts";

const SLOT = 8;
const BELOW32 = 0x49;

/** What is done about an access in one way or the other. */
interface Ways {
  /** The register with the address. */
  readonly register: number;
  /** The bytes' place: `LOCAL.at` and an offset. */
  readonly offset: number;
  /** Sets `LOCAL.at`. */
  readonly place: () => void;
  /** Pushes whether the bytes that a load reads are not all data. */
  readonly pushNotData: () => void;
  readonly onStack: () => void;
  readonly byMachine: () => void;
}

/** An access that is not plain: of a stack, or the machine's. */
export function stackOrMachine(w: Writer, op: Op, ways: Ways): void {
  const { code } = w;
  w.open(OP.block);
  w.open(OP.block);
  pushNotOfStack(w, op, ways.register);
  code.at(OP.brIf, 0);
  ways.place();
  if (op.size > 1) {
    code.at(OP.get, LOCAL.at);
    if (ways.offset !== 0) {
      code.const32(ways.offset);
      code.op(OP.add32);
    }
    code.const32(op.size - 1);
    code.op(OP.and32);
    code.at(OP.brIf, 0);
  }
  if (op.code === DO.load) ways.pushNotData();
  else pushMayNotStore(w, op, ways.offset);
  code.at(OP.brIf, 0);
  ways.onStack();
  code.at(OP.br, 1);
  w.close();
  ways.byMachine();
  w.close();
}

/** Pushes whether the access does not begin in a live stack. */
function pushNotOfStack({ code }: Writer, { off }: Op, register: number): void {
  code.at(OP.get, register);
  code.at(OP.get, LOCAL.region + register);
  code.memory(OP.load64, 8, RECORD.first);
  code.op(OP.sub64);
  if (off !== 0) {
    code.const64(off);
    code.op(OP.add64);
  }
  code.at(OP.get, LOCAL.region + register);
  code.memory(OP.load64From32, 4, RECORD.stack);
  code.op(OP.notBelow64);
}

/** Pushes whether something lies there that is not lost just like that, or no number is stored. */
function pushMayNotStore(w: Writer, { code: kind, src, size }: Op, offset: number): void {
  const { code } = w;
  code.at(OP.get, LOCAL.at);
  if (offset !== 0) {
    code.const32(offset);
    code.op(OP.add32);
  }
  if (size !== SLOT) {
    code.const32(-SLOT);
    code.op(OP.and32);
  }
  code.memory(OP.load8, 1, MARKS);
  if (size === SLOT) {
    code.const32(MARK.kept);
    code.op(OP.eq32);
  } else {
    // Part of a pointer, or of what the kernel keeps.
    code.const32(MARK.pointer);
    code.op(OP.sub32);
    code.const32(MARK.kept - MARK.pointer + 1);
    code.op(BELOW32);
  }
  if (size !== SLOT || kind === DO.storeImm || w.kinds(src) === KIND.number) return;
  w.pushRegion(src);
  code.const32(SCALAR_RECORD);
  code.op(OP.ne32);
  code.op(OP.or32);
}
