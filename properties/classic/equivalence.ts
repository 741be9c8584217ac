/** Whether a filter and its conversion return the same for every packet up to a bound: a question for Z3. */
import type { ClassicUse } from "../../src/semantics/classic/check.ts";
import { convertFilter } from "../../src/semantics/classic/convert.ts";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import type { Slots } from "../../src/semantics/program/program.ts";
import { ne } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { classicResult } from "./symbolic-classic.ts";
import { ebpfResult } from "./symbolic-ebpf.ts";
import { type Geometry, SymbolicPacket } from "./symbolic-packet.ts";

/** Filters on what the link layer gives see the frame from its first byte; those of test runs, from the network header on. */
export const GEOMETRIES: readonly Geometry[] = [
  { bound: 128, link: 0, network: 14, data: 0 },
  { bound: 128, link: 0, network: 14, data: 14 },
];

/** What can be true only if there is a packet, of as many bytes at most, for which the filter and the program return different values. */
export function difference(
  filter: Filter,
  insns: Slots,
  use: ClassicUse,
  geometry: Geometry,
): readonly Term<1>[] {
  const packet = new SymbolicPacket(geometry);
  const ours = classicResult(filter, use, packet);
  const theirs = ebpfResult(insns, packet, use === "seccomp");
  return [packet.assumption, ne(ours, theirs)];
}

export const conversionDifference = (
  filter: Filter,
  use: ClassicUse,
  geometry: Geometry,
): readonly Term<1>[] => difference(filter, convertFilter("filter", filter, use).insns, use, geometry);
