/**
 * Kernel functions on lists and trees that lie in map values and in objects of the program's own. All of them want the lock to be held that lies beside the list or tree.
 *
 * What is put into one is owned by it from then on: the program's pointers to it are *non-owning*, good for reading and writing until the lock is left
 * (map-fields.ts). What is taken out is the program's to give back. Whether something that several own, or that a non-owning pointer leads to, is in a certain
 * list or tree the kernel finds out when it runs: it gives null, or an error, where it is not.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import type { MapDefinition, MapField } from "../../../semantics/program/map-types.ts";
import { OBJECT_FIELDS } from "../../../semantics/program/own-types.ts";
import { isInLess } from "../../callbacks.ts";
import { demand } from "../../origins.ts";
import { holdsLockReference, isLock, lastLock, releaseReference } from "../../references.ts";
import {
  FLAG,
  isConstant,
  isPointer,
  KIND,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  referenceOf,
  setId,
  setKind,
  setOff,
  setPointer,
  setReference,
  setUnknown,
  smallConstant,
} from "../../register.ts";
import { forEachRegister, takeId } from "../../state.ts";
import { type Machine, mapAt, readable, register } from "../machine.ts";
import { lockOf } from "../map-fields.ts";
import { isOwnObject, LOCK_FIELDS, ownStruct, requireNoChain } from "../own-object.ts";
import { reject } from "../rejection.ts";
import { type KfuncCall, reliesOnArguments } from "./facts.ts";
import { requirePlace } from "./objects.ts";
import { clearArguments, giveOwned, OWNED } from "./own-objects.ts";

type Rule = (m: Machine, call: KfuncCall) => void;

/** Each function by its name, without `_impl`; trees are added to elsewhere (tree.ts), since that calls back. */
const FUNCTIONS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["bpf_list_push_front", push],
  ["bpf_list_push_back", push],
  ["bpf_list_pop_front", (m, call) => giveOwnedNode(m, nodeIn(m, call, "list_head"))],
  ["bpf_list_pop_back", (m, call) => giveOwnedNode(m, nodeIn(m, call, "list_head"))],
  ["bpf_list_front", (m, call) => giveNode(m, nodeIn(m, call, "list_head"))],
  ["bpf_list_back", (m, call) => giveNode(m, nodeIn(m, call, "list_head"))],
  ["bpf_list_add", insert],
  ["bpf_list_del", (m, call) => giveOwnedNode(m, memberOfList(m, call))],
  ["bpf_list_empty", (m, call) => giveNumber(m, nodeIn(m, call, "list_head"))],
  ["bpf_list_is_first", (m, call) => giveNumber(m, memberOfList(m, call))],
  ["bpf_list_is_last", (m, call) => giveNumber(m, memberOfList(m, call))],
  ["bpf_rbtree_first", (m, call) => giveNode(m, nodeIn(m, call, "rb_root"))],
  ["bpf_rbtree_root", (m, call) => giveNode(m, nodeIn(m, call, "rb_root"))],
  ["bpf_rbtree_left", (m, call) => giveNode(m, neighbour(m, call))],
  ["bpf_rbtree_right", (m, call) => giveNode(m, neighbour(m, call))],
  ["bpf_rbtree_remove", (m, call) => giveOwnedNode(m, neighbour(m, call))],
]);

/** What the function of that name does, if it is one of these. */
export const graphFunction = (name: string): Rule | undefined => FUNCTIONS.get(name.replace(/_impl$/, ""));

/** What a list or tree is made of: a structure, and where the links are in it. */
export type Node = NonNullable<MapField["node"]>;

type Root = "list_head" | "rb_root";

const LINKS: { readonly [R in Root]: string } = { list_head: "list_node", rb_root: "rb_node" };

const nameOf = (kind: string): string => OBJECT_FIELDS.get(kind)?.name ?? kind;

/** Functions that rely on their arguments get no pointer that may be null. */
export function requireNotNull(m: Machine, call: KfuncCall, number: number): void {
  const at = readable(m, number);
  const isNull = kindOf(at) === KIND.scalar && isConstant(at) && smallConstant(at) === 0;
  if (!reliesOnArguments(call) || !(isNull || mayBeNull(kindOf(at)))) return;
  demand(m.marks, at);
  reject("EACCES", `Possibly NULL pointer passed to trusted arg${number - 1}`);
}

/** What the list or tree is made of that r1 points to, whose lock has to be held. */
export function nodeIn(m: Machine, call: KfuncCall, kind: Root): Node {
  requireNotNull(m, call, 1);
  const at = readable(m, 1);
  const isOwned = kindOf(at) === OWNED;
  if (kindOf(at) !== KIND.mapValue && !isOwned) {
    reject("EINVAL", "arg#0 expected pointer to map value or allocated object");
  }
  if (isOwned && referenceOf(at) === 0) reject("EINVAL", "allocated object must be referenced");
  const holder = isOwned ? ownStruct(m, objectOf(at)) : mapAt(m, objectOf(at));
  const field = fieldAt(1, at, holder, kind);
  requireLocked(m, at, holder, kind);
  if (field.node === undefined) throw new Unsupported(`a ${nameOf(kind)} of nobody knows what`);
  return field.node;
}

/** The field of a kind to which the register `number` points. */
function fieldAt(
  number: number,
  at: number,
  { fields = [] }: Pick<MapDefinition, "fields">,
  kind: string,
): MapField {
  const name = nameOf(kind);
  if (isOwnObject(kindOf(at))) requirePlace({ number, at, off: 0 }, false);
  const constant = smallConstant(at);
  if (constant === undefined) {
    return reject(
      "EINVAL",
      `R${number} doesn't have constant offset. ${name} has to be at the constant offset`,
    );
  }
  const offset = offOf(at) + constant;
  const field = fields.find((each) => each.kind === kind && each.offset === offset);
  return field ?? reject("EINVAL", `${name} not found at offset=${offset}`);
}

/** The lock that is held lies in the same value or object. */
function requireLocked(m: Machine, at: number, { fields }: Pick<MapDefinition, "fields">, kind: Root): void {
  const lock = fields?.find((field) => LOCK_FIELDS.has(field.kind));
  if (lock === undefined) throw new Unsupported(`a ${nameOf(kind)} without a lock`);
  if (holdsLockReference(m.state, lockOf(at), isLock)) return;
  const other = lastLock(m.state) < 0 ? "" : "held lock and object are not in the same allocation\n";
  // The kernel names the offset of a spin lock even where it is another that has to be held.
  const offset = lock.kind === "spin_lock" ? lock.offset : -22;
  reject("EINVAL", `${other}bpf_spin_lock at off=${offset} must be held for ${nameOf(kind)}`);
}

/** The object that the register points into, at the links of a node. */
function requireNode(m: Machine, number: number, node: Node, kind: Root): void {
  const at = readable(m, number);
  const [root, link] = [nameOf(kind), nameOf(LINKS[kind])];
  const struct = ownStruct(m, objectOf(at));
  const { offset } = fieldAt(number, at, struct, LINKS[kind]);
  const wanted = ownStruct(m, node.struct).name;
  if (struct.id !== node.struct) {
    const expected = `${link} at offset=${node.offset} in struct ${wanted}`;
    reject(
      "EINVAL",
      `operation on ${root} expects arg#${number - 1} ${expected}, but arg is at offset=${offset} in struct ${struct.name}`,
    );
  }
  if (offset !== node.offset) {
    reject(
      "EINVAL",
      `arg#${number - 1} offset=${offset}, but expected ${link} at offset=${node.offset} in struct ${wanted}`,
    );
  }
}

/** The object in r2, which the program owns and is about to give away. */
export function requireOwnedNode(m: Machine, call: KfuncCall, node: Node, kind: Root): void {
  requireNotNull(m, call, 2);
  const at = readable(m, 2);
  if (kindOf(at) !== OWNED) reject("EINVAL", "arg#1 expected pointer to allocated object");
  if (referenceOf(at) === 0) reject("EINVAL", "allocated object must be referenced");
  requireNode(m, 2, node, kind);
  requireNoChain(m, register(m, 1), node.struct);
}

/** The program's pointers to the object in r2 own it no longer. */
export function giveAway(m: Machine): void {
  const id = referenceOf(register(m, 2));
  releaseReference(m.state, id);
  forEachRegister(m.state, (at) => {
    if (!isPointer(kindOf(at)) || referenceOf(at) !== id) return;
    setReference(at, 0);
    setKind(at, kindOf(at) | FLAG.nonOwning);
  });
}

/** Where the program hands over what it has for `meta`, it hands over a number for the offset, which the kernel puts in itself. */
export function requireOffset(m: Machine, { facts }: KfuncCall): void {
  const index = facts.args.findIndex(({ kind, name }) => kind === "scalar" && name === "off");
  if (index < 0) return;
  if (kindOf(register(m, index + 1)) !== KIND.scalar) reject("EINVAL", `R${index + 1} is not a scalar`);
}

function push(m: Machine, call: KfuncCall): void {
  const node = nodeIn(m, call, "list_head");
  requireOwnedNode(m, call, node, "list_head");
  requireOffset(m, call);
  giveAway(m);
  giveNumber(m, node);
}

/** Puts the object in r2 behind that in r3, which may be in the list. */
function insert(m: Machine, call: KfuncCall): void {
  const node = nodeIn(m, call, "list_head");
  requireOwnedNode(m, call, node, "list_head");
  requireListed(m, call, 3, node);
  giveAway(m);
  giveNumber(m, node);
}

/** What a list is made of that r1 points to, and r2 to a node of maybe that list. */
function memberOfList(m: Machine, call: KfuncCall): Node {
  const node = nodeIn(m, call, "list_head");
  requireListed(m, call, 2, node);
  return node;
}

/** The register points to a node of some list, which the program need not own. */
function requireListed(m: Machine, call: KfuncCall, number: number, node: Node): void {
  requireNotNull(m, call, number);
  const at = readable(m, number);
  const kind = kindOf(at);
  if (kind !== (OWNED | FLAG.nonOwning) && !(kind === OWNED && referenceOf(at) !== 0)) {
    reject("EINVAL", `arg#${number - 1} expected pointer to allocated object`);
  }
  if (isInLess(m.state)) throw new Unsupported(`kernel function ${call.facts.name} in what compares nodes`);
  requireNode(m, number, node, "list_head");
}

/** What a tree is made of that r1 points to, and r2 to a node of maybe that tree. */
function neighbour(m: Machine, call: KfuncCall): Node {
  const node = nodeIn(m, call, "rb_root");
  requireNotNull(m, call, 2);
  const at = readable(m, 2);
  const kind = kindOf(at);
  if (kind !== (OWNED | FLAG.nonOwning) && !(kind === OWNED && referenceOf(at) !== 0)) {
    reject("EINVAL", `${call.facts.name} can only take non-owning or refcounted bpf_rb_node pointer`);
  }
  if (isInLess(m.state)) reject("EINVAL", `${call.facts.name} not allowed in rbtree cb`);
  requireNode(m, 2, node, "rb_root");
  return node;
}

function giveNumber(m: Machine, _node: Node): void {
  clearArguments(m);
  setUnknown(register(m, 0));
}

function giveOwnedNode(m: Machine, { struct, offset }: Node): void {
  clearArguments(m);
  giveOwned(m, FLAG.orNull, struct, offset);
}

function giveNode(m: Machine, { struct, offset }: Node): void {
  clearArguments(m);
  const r0 = register(m, 0);
  setPointer(r0, OWNED | FLAG.nonOwning | FLAG.orNull, struct);
  setOff(r0, offset);
  setId(r0, takeId(m.state));
}
