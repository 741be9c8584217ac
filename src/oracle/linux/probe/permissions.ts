/** Which helpers and map types programs of a kind may use, and which values they may return: one small program a question. */
import { HELPER_NAMES } from "../../../semantics/helpers/names.ts";
import type { ProgramFacts } from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import type { Kernel } from "../calls.ts";
import { type Materials, withMap } from "./maps.ts";
import { callHelper, copy, EXIT, insn, type Kind, load, loadMap, loads, refusal } from "./program.ts";

// --- Helpers

const FORBIDDEN =
  /^(program of this type cannot use helper|(unknown|invalid) func|kernel subsystem misconfigured func)|not supported for program type|supported only for|helper call is not allowed in probe/;
const GPL_ONLY = /^cannot call GPL-restricted function/;
const SLEEPS = /might sleep in a non-sleepable/;

export interface Permissions {
  /** Ids that a program may call at all, ascending. */
  readonly allowed: readonly number[];
  /** Of these, those for programs with a GPL-compatible license only. */
  readonly gplOnly: readonly number[];
  /** Of these, those that a program of the kind may not call because it may not sleep. */
  readonly sleeping: readonly number[];
}

/** Calls each helper with whatever the registers hold: what the kernel says about the arguments tells that the call itself is allowed. */
export function probeHelpers(kernel: Kernel, kind: Kind): Permissions {
  const allowed: number[] = [];
  const gplOnly: number[] = [];
  const sleeping: number[] = [];
  for (const id of HELPER_NAMES.keys()) {
    const call = [callHelper(id)];
    const message = refusal(kernel, kind, call);
    if (id === 0 || FORBIDDEN.test(message)) continue;
    allowed.push(id);
    if (SLEEPS.test(message)) sleeping.push(id);
    if (GPL_ONLY.test(refusal(kernel, kind, call, { license: "Proprietary" }))) gplOnly.push(id);
  }
  return { allowed, gplOnly, sleeping };
}

// --- Maps

/** The types of the maps that a program of the kind may not even refer to. */
export function probeForbiddenMaps(kernel: Kernel, kind: Kind, materials: Materials): MapType[] {
  return [...materials.maps.keys()].filter(
    (type) =>
      !withMap(materials, type, (map) =>
        loads(kernel, kind, loadMap(2, 0), { maps: map === undefined ? [] : [map] }),
      ),
  );
}

// --- Return values

const GET_PRANDOM_U32 = 7;
/** `should have been in [0, 1]`, before 6.8 `should have been in (0x0; 0x1)`: a value, and the bits that may differ. */
const RANGE = /should have been in (?:\[(-?\d+), (-?\d+)\]|\((0x[0-9a-f]+); (0x[0-9a-f]+)\))/;

/** r0 is any number: its halves are random. */
const ANY_RESULT: readonly Uint8Array[] = [
  callHelper(GET_PRANDOM_U32),
  copy(6, 0),
  callHelper(GET_PRANDOM_U32),
  insn(0x67, 6, 0, 0, 32),
  insn(0x4f, 0, 6),
  EXIT,
];

/**
 * The values that a program of the kind may return, `undefined` if any. The kernel's message names the range; its ends, and their neighbours
 * outside, are tried.
 *
 * @throws Error if the kernel does not do what its message says
 */
export function probeReturns(kernel: Kernel, kind: Kind): ProgramFacts["returns"] {
  const answer = load(kernel, kind, [], { end: ANY_RESULT });
  if (answer.verdict === "accept") {
    answer.close();
    return undefined;
  }
  const found = RANGE.exec(answer.log);
  if (found === null) throw new Error(`${kind.type}: no range of return values in "${answer.message}"`);
  const [, from, to, value, mask] = found;
  const [least, greatest] =
    from === undefined ? [Number(value), Number(value) + Number(mask)] : [Number(from), Number(to)];
  for (const [tried, allowed] of [
    [least, true],
    [greatest, true],
    [least - 1, false],
    [greatest + 1, false],
  ] as const) {
    if (loads(kernel, { ...kind, retval: tried }, []) !== allowed) {
      throw new Error(
        `${kind.type}: returning ${tried} is ${allowed ? "refused" : "accepted"}, unlike "${found[0]}"`,
      );
    }
  }
  return [least, greatest];
}
