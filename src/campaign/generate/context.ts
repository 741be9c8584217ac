/** What steps of a generated program have in common: the draft, the program's kind and maps, where it goes when it gives up, and how registers and numbers are drawn. */
import { helperId } from "../../semantics/helpers/names.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Draft, Label } from "./draft.ts";
import { type Held, NOTHING } from "./held.ts";
import type { Abilities, Kind } from "./kinds.ts";
import { type MapName, mapNamed } from "./maps.ts";
import type { Step } from "./recipe.ts";
import type { FunctionName } from "./types.ts";

export const CONTEXT = 6;
export const FRAME = 10;

/** A block that is open: a branch that goes round what follows, a loop, an object that is held. */
export interface Block {
  /** Steps until it ends. */
  left: number;
  readonly end: () => void;
}

/** Where those go that give up. */
export interface Exit {
  readonly label: Label;
  used: boolean;
}

/** The first slot of what is handed to helpers, and of what the kernel keeps for the program. */
export const HANDED = 12;
const KEPT = 21;
const SLOTS_KEPT = 11;

/** What all functions of a program share. */
export interface Shared {
  readonly draft: Draft;
  readonly kind: Kind;
  readonly abilities: Abilities;
  readonly maps: MapName[];
  /** Functions that are used: each is written once, in this order. */
  readonly functions: Map<FunctionName, Label>;
}

export class Writer {
  readonly shared: Shared;
  readonly draft: Draft;
  readonly kind: Kind;
  readonly abilities: Abilities;
  /** The program's own function, where steps may call others. */
  readonly isMain: boolean;
  /** Registers that keep what they hold. */
  readonly reserved = new Set<number>();
  readonly blocks: Block[] = [];
  /** Loops that are open. */
  loops = 0;
  /** Objects that are held, sections that are open: what may not be left behind. */
  held = 0;
  /** In a section in which nothing may be called. */
  locked = false;
  exit: Exit;
  readonly #kept = new Set<number>();

  constructor(shared: Shared, isMain: boolean) {
    this.shared = shared;
    this.draft = shared.draft;
    this.kind = shared.kind;
    this.abilities = shared.abilities;
    this.isMain = isMain;
    this.exit = { label: this.draft.label(), used: false };
  }

  /** A register that may be written. */
  target(choice: number): number {
    const free = TARGETS.filter((r) => !this.reserved.has(r));
    return free[choice % free.length] ?? 0;
  }

  /** A register that keeps what it holds over calls, if one is free. */
  saved(choice: number): number | undefined {
    const free = SAVED.filter((r) => !this.reserved.has(r));
    return free[choice % free.length];
  }

  /** A register that holds such a thing and, to be written, is not reserved. */
  holding(choice: number, wanted: (held: Held) => boolean, written = false): number | undefined {
    const all = this.draft.holding(wanted);
    const found = written ? all.filter((r) => !this.reserved.has(r)) : all;
    return found[choice % found.length];
  }

  number(choice: number, written = false): number | undefined {
    return this.holding(choice, ({ kind }) => kind === "number", written);
  }

  get hasContext(): boolean {
    return this.draft.held(CONTEXT).kind === "context";
  }

  // --- Maps

  /** The index of a map, which is the program's from now on. */
  map(name: MapName): number {
    const { maps } = this.shared;
    const at = maps.indexOf(name);
    return at === -1 ? maps.push(name) - 1 : at;
  }

  /** Whether programs of the kind may refer to the map at all. */
  mayUse(name: MapName): boolean {
    if (!this.abilities.mayLock && (name === "locked" || name === "guarded" || name === "roots"))
      return false;
    return this.abilities.facts.forbiddenMaps?.includes(mapNamed(name).type) !== true;
  }

  loadMap(dst: number, name: MapName): MapDefinition {
    this.draft.emit("ld_imm64_map_fd", { dst, imm: this.map(name) });
    return mapNamed(name);
  }

  // --- Calls

  /** Whether programs of the kind may call a helper here. */
  has(helper: string): boolean {
    return !this.locked && this.abilities.helpers.has(helper);
  }

  /** @param result  what r0 holds then */
  call(helper: string, result: Held): void {
    const callable = this.abilities.helpers.get(helper);
    this.draft.emit("call_helper", { imm: callable?.id ?? helperId(helper) ?? 0 });
    this.draft.called(result);
    if (callable?.changesPacket === true) this.draft.packetMoved();
  }

  callKfunc(name: string, result: Held): void {
    this.draft.callKfunc(name);
    this.draft.called(result);
  }

  /** The label of a function that is called, or has its address taken. */
  function(name: FunctionName): Label {
    const { functions } = this.shared;
    const label = functions.get(name) ?? this.draft.label();
    functions.set(name, label);
    return label;
  }

  // --- The stack

  /** So many free slots next to each other, for what the kernel keeps for the program: the lowest one's number, which is the greatest. */
  keep(count: number): number | undefined {
    for (let first = KEPT; first + count <= KEPT + SLOTS_KEPT; first += 1) {
      let free = 0;
      while (free < count && !this.#kept.has(first + free)) free += 1;
      if (free < count) continue;
      for (let i = 0; i < count; i += 1) this.#kept.add(first + i);
      return first + count - 1;
    }
    return undefined;
  }

  free(last: number, count: number): void {
    for (let slot = last; slot > last - count; slot -= 1) this.#kept.delete(slot);
  }

  /** A pointer to the lowest byte of a slot. */
  pointToSlot(dst: number, slot: number): void {
    this.draft.emit("mov64_reg", { dst, src: FRAME });
    this.draft.emit("add64_imm", { dst, imm: slotOffset(slot) });
    this.draft.set(dst, { kind: "frame", offset: slotOffset(slot) });
  }

  copy(dst: number, src: number): void {
    if (dst === src) return;
    this.draft.emit("mov64_reg", { dst, src });
    this.draft.set(dst, this.draft.held(src));
  }

  // --- Giving up

  /** A jump out of the function, past what is held. */
  giveUp(
    name: string,
    operands: { readonly dst: number; readonly src?: number; readonly imm?: number },
  ): void {
    this.exit.used = true;
    this.draft.jump(name, this.exit.label, operands);
  }

  /** Something is held for some steps, then `release` is written: also on the way of those who give up meanwhile. */
  hold(steps: number, release: () => void): void {
    const { draft } = this;
    const outer = this.exit;
    const own: Exit = { label: draft.label(), used: false };
    this.exit = own;
    this.held += 1;
    this.blocks.push({
      left: steps,
      end: () => {
        this.exit = outer;
        this.held -= 1;
        if (!own.used) return release();
        const known = draft.snapshot();
        release();
        const [after, over] = [draft.snapshot(), draft.label()];
        draft.jump("goto", over);
        draft.place(own.label);
        draft.know = known;
        release();
        outer.used = true;
        draft.jump("goto", outer.label);
        draft.place(over);
        draft.know = after;
      },
    });
  }

  /** Forgets a register that others must not take for what it was. */
  drop(register: number): void {
    this.draft.set(register, NOTHING);
  }
}

const TARGETS = [7, 8, 9, 0, 1, 2, 3, 4, 5] as const;
const SAVED = [7, 8, 9] as const;

/** Bytes from the frame pointer on, to the lowest byte of a slot. */
export const slotOffset = (slot: number): number => -8 * (slot + 1);

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

/** One of a list; of an empty one, nothing. */
export const pick = <T>(list: readonly T[], choice: number): T | undefined => list[choice % list.length];

/** Numbers drawn one after the other from a step's: what a step needs more of than it has. For 0 they are all 0. */
export function drawer(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Writes a step; nothing, where it does not fit what is known. */
export type Emit = (w: Writer, step: Step) => void;
