/**
 * What a certificate is of: a hash of everything about a program that verification depends on. It tells programs apart, and nobody rests on it:
 * the checker executes the program that it is given.
 */
import { createHash } from "node:crypto";
import { encode } from "../../semantics/isa/codec.ts";
import type { MapDefinition, MapField } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";

export const HASH_BYTES = 32;

const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "" : Buffer.from(bytes).toString("hex");

/** A map without its name, which says nothing. Keys are in an order of our own, so that the text is. */
function mapFacts({ type, keySize, valueSize, maxEntries, flags, ...rest }: MapDefinition): unknown {
  const { inner, data, frozen, fields, btfKey, btfValue } = rest;
  return [
    [type, keySize, valueSize, maxEntries, flags, frozen === true, btfKey ?? null, btfValue ?? null],
    hex(data),
    (fields ?? []).map(({ kind, offset, type: of, ...own }) => [kind, offset, of ?? null, ...ownFacts(own)]),
    inner === undefined ? null : mapFacts(inner),
  ];
}

/** What types of the program's own a field is about, if it is about any. */
const ownFacts = ({ struct, node }: Pick<MapField, "struct" | "node">): readonly unknown[] =>
  struct === undefined && node === undefined
    ? []
    : [struct ?? null, node?.struct ?? null, node?.offset ?? null];

/** SHA-256 of instructions, maps, program and attach type, target, flags, license, types and functions; not of names and source lines. */
export function programHash(program: Program): Uint8Array {
  const { type, attach, target, license, flags, insns, maps, functions, btf, kfuncs, ksyms = [] } = program;
  const facts = [
    [type, attach ?? null, target ?? null, license, flags.toSorted()],
    hex(encode(insns)),
    maps.map(mapFacts),
    functions.map(({ insn, typeId, linkage }) => [insn, typeId ?? null, linkage ?? null]),
    hex(btf),
    (kfuncs ?? []).map(({ insn, name }) => [insn, name]),
    ...(ksyms.length === 0 ? [] : [ksyms.map(({ insn, name, typed }) => [insn, name, typed])]),
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest();
}
