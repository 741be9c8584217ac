/**
 * The types of generated programs, which kernels ask for: of functions that are called back or global, of map values with a lock, a timer or pointers, and
 * of objects that programs allocate.
 */
import { readBtf } from "../../object/btf.ts";
import { functionPrototype } from "../../object/function-types.ts";
import { ownTypes } from "../../object/own-types.ts";
import type { MapField } from "../../semantics/program/map-types.ts";
import type { OwnTypes } from "../../semantics/program/own-types.ts";
import type { FunctionPrototype } from "../../semantics/program/prototype.ts";
import { BtfWords } from "./btf-words.ts";

const types = new BtfWords();

/** Ids of simple types: keys of 4 bytes, numbers of 8. */
export const INT = types.int("int", 4, true);
export const LONG = types.int("u64", 8, false);
const pointer = types.pointer(0);
const bytes16 = types.array(LONG, INT, 2);
const bytes24 = types.array(LONG, INT, 3);
const bytes32 = types.array(LONG, INT, 4);
const lock = types.struct("bpf_spin_lock", 4, [["val", INT, 0]]);
const resilient = types.struct("bpf_res_spin_lock", 4, [["val", INT, 0]]);
const timer = types.struct("bpf_timer", 16, [["opaque", bytes16, 0]]);
const listHead = types.struct("bpf_list_head", 16, [["opaque", bytes16, 0]]);
const listNode = types.struct("bpf_list_node", 24, [["opaque", bytes24, 0]]);
const treeRoot = types.struct("bpf_rb_root", 16, [["opaque", bytes16, 0]]);
const treeNode = types.struct("bpf_rb_node", 32, [["opaque", bytes32, 0]]);
const refcount = types.struct("bpf_refcount", 4, [["opaque", INT, 0]]);

/** Functions by what they are called as: the program, one that it calls, a global one, and those that are called back. */
export const FUNCTION_TYPES = {
  main: types.func("main", INT, [pointer], true),
  callee: types.func("callee", INT, [LONG, LONG]),
  global: types.func("global", INT, [LONG, LONG], true),
  callback: types.func("callback", INT, [LONG, pointer]),
  element: types.func("element", INT, [pointer, pointer, pointer, pointer]),
  later: types.func("later", INT, [pointer, pointer, pointer]),
  less: types.func("less", INT, [pointer, pointer]),
  record: types.func("record", INT, [pointer, pointer]),
} as const;

export type FunctionName = keyof typeof FUNCTION_TYPES;

/** An object with places in a list and in a tree, and a count of those who own it. Its number is at 0. */
const node = types.struct("node", 72, [
  ["number", LONG, 0],
  ["in_list", listNode, 8],
  ["in_tree", treeNode, 32],
  ["owners", refcount, 64],
]);
export const NODE = { id: node, size: 72, list: 8, tree: 32 } as const;

/** An object of numbers alone. */
const plain = types.struct("plain", 32, [
  ["first", LONG, 0],
  ["others", bytes24, 8],
]);
export const PLAIN = { id: plain, size: 32 } as const;

const keptPlain = types.pointer(types.typeTag("kptr", plain));

const locked = types.struct("locked", 32, [
  ["lock", lock, 0],
  ["data", bytes24, 8],
]);
const guarded = types.struct("guarded", 32, [
  ["lock", resilient, 0],
  ["data", bytes24, 8],
]);
const timed = types.struct("timed", 32, [
  ["clock", timer, 0],
  ["data", bytes16, 16],
]);
const kept = types.struct("kept", 24, [
  ["object", keptPlain, 0],
  ["data", bytes16, 8],
]);
const roots = types.struct("roots", 40, [
  ["lock", lock, 0],
  ["list", listHead, 8],
  ["tree", treeRoot, 24],
]);
types.memberTag("contains:node:in_list", roots, 1);
types.memberTag("contains:node:in_tree", roots, 2);

/** A map's value with more in it than numbers. `plain` bytes from `from` on are numbers. */
export interface ValueType {
  readonly id: number;
  readonly size: number;
  readonly fields: readonly MapField[];
  readonly from: number;
  readonly plain: number;
}

const value = (id: number, size: number, from: number, fields: readonly MapField[]): ValueType => ({
  id,
  size,
  from,
  plain: size - from,
  fields,
});

export const VALUE_TYPES = {
  locked: value(locked, 32, 8, [{ kind: "spin_lock", offset: 0 }]),
  guarded: value(guarded, 32, 8, [{ kind: "res_spin_lock", offset: 0 }]),
  timed: value(timed, 32, 16, [{ kind: "timer", offset: 0 }]),
  kept: value(kept, 24, 8, [{ kind: "kptr_ref", offset: 0, struct: plain }]),
  roots: value(roots, 40, 40, [
    { kind: "spin_lock", offset: 0 },
    { kind: "list_head", offset: 8, node: { struct: node, offset: NODE.list } },
    { kind: "rb_root", offset: 24, node: { struct: node, offset: NODE.tree } },
  ]),
} as const;

export const ROOTS = { list: 8, tree: 24 } as const;

export const TYPES_OF_PROGRAMS: Uint8Array = types.bytes();

interface Read {
  readonly own: OwnTypes;
  readonly prototypes: ReadonlyMap<number, FunctionPrototype>;
}

let known: Read | undefined;

function read(): Read {
  if (known === undefined) {
    const btf = readBtf(TYPES_OF_PROGRAMS, "generated");
    const prototypes = Object.values(FUNCTION_TYPES).flatMap(
      (id): (readonly [number, FunctionPrototype])[] => {
        const prototype = functionPrototype(btf, id);
        return prototype === undefined ? [] : [[id, prototype]];
      },
    );
    known = { own: ownTypes(btf), prototypes: new Map(prototypes) };
  }
  return known;
}

/** The structures of objects that programs allocate, as verifiers see them. */
export const typesOfObjects = (): OwnTypes => read().own;

/** The prototype of a function of programs. */
export const prototypeOf = (name: FunctionName): FunctionPrototype | undefined =>
  read().prototypes.get(FUNCTION_TYPES[name]);
