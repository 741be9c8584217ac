/** What steps of a generated program have in common: the draft, the program's type and maps, and how registers and numbers are drawn. */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import type { Draft, Held, Label } from "./draft.ts";
import type { Step } from "./recipe.ts";

export const CONTEXT = 6;
export const FRAME = 10;

/** The maps of generated programs, by what they are for. */
export const MAPS = {
  array: 0,
  hash: 1,
  ringbuf: 2,
  progs: 3,
  percpu: 4,
  lru: 5,
} as const;

export const VALUE_SIZE = 48;
const KEY_SIZE = 8;

const map = (
  name: string,
  type: MapDefinition["type"],
  keySize: number,
  valueSize: number,
  maxEntries: number,
): MapDefinition => ({
  name,
  type,
  keySize,
  valueSize,
  maxEntries,
  flags: 0,
});

export const MAP_DEFINITIONS: readonly MapDefinition[] = [
  map("values", "array", 4, VALUE_SIZE, 1),
  map("table", "hash", KEY_SIZE, VALUE_SIZE, 8),
  map("records", "ringbuf", 0, 0, 4096),
  map("programs", "prog_array", 4, 4, 2),
  map("counters", "percpu_array", 4, VALUE_SIZE, 2),
  map("recent", "lru_hash", KEY_SIZE, VALUE_SIZE, 8),
];

/** A block that is open: a branch that goes round what follows, or a loop. */
export interface Block {
  /** Steps until it ends. */
  left: number;
  readonly end: () => void;
}

export class Writer {
  readonly draft: Draft;
  readonly type: ProgramType;
  /** Functions that may be called; nothing inside of functions. */
  readonly callee: Label | undefined;
  readonly callback: Label | undefined;
  /** Registers that keep what they hold. */
  readonly reserved = new Set<number>();
  readonly blocks: Block[] = [];
  /** Loops that are open. */
  loops = 0;
  /** The function's result is 0 or 1. */
  returnsBit = false;

  constructor(draft: Draft, type: ProgramType, callee?: Label, callback?: Label) {
    this.draft = draft;
    this.type = type;
    this.callee = callee;
    this.callback = callback;
  }

  /** A register that may be written. */
  target(choice: number): number {
    const free = [7, 8, 9, 0, 1, 2, 3, 4, 5].filter((r) => !this.reserved.has(r));
    return free[choice % free.length] ?? 0;
  }

  /** A register that keeps what it holds over calls, if one is free. */
  saved(choice: number): number | undefined {
    const free = [7, 8, 9].filter((r) => !this.reserved.has(r));
    return free[choice % free.length];
  }

  /** A register that holds such a thing and, to be written, is not reserved. */
  holding(choice: number, wanted: (held: Held) => boolean, written = false): number | undefined {
    const found = this.draft.holding(wanted).filter((r) => !written || !this.reserved.has(r));
    return found[choice % found.length];
  }

  number(choice: number, written = false): number | undefined {
    return this.holding(choice, ({ kind }) => kind === "number", written);
  }
}

/** Edges of the widths that instructions work in, and numbers near them. */
const EDGES: readonly number[] = [
  0, 1, -1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
  -0x80000000, -0x8000, -128, -8,
];

/** An immediate: often an edge. */
export function immediate(choice: number): number {
  const edge = EDGES[(choice >> 3) % EDGES.length] ?? 0;
  if ((choice & 7) < 5) return edge;
  return (choice & 7) === 5 ? (edge + 3) | 0 : (Math.imul(choice, 0x9e3779b9) ^ (choice << 7)) | 0;
}

export const SIZES = [1, 2, 4, 8] as const;
export type Width = (typeof SIZES)[number];
const LETTER: Readonly<Record<Width, string>> = { 1: "b", 2: "h", 4: "w", 8: "dw" };
export const widthOf = (choice: number): Width => SIZES[choice % 4] ?? 8;
export const load = (size: Width): string => `ldx${LETTER[size]}`;
export const store = (size: Width): string => `stx${LETTER[size]}`;
export const storeImm = (size: Width): string => `st${LETTER[size]}`;

/** One time in many something is off by a little: what a verifier must refuse. */
export const slip = (choice: number): number => (choice % 61 === 60 ? 1 : 0);

/** Writes a step; nothing, where it does not fit what is known. */
export type Emit = (w: Writer, step: Step) => void;
