/** Which helpers and map types programs of a kind may use, and which values they may return: one small program a question. */
import { HELPER_NAMES } from "../../../semantics/helpers/names.ts";
import type { ProgramFacts } from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { type Materials, withMap } from "./maps.ts";
import { callHelper, copy, EXIT, insn, type Kind, load, loadMap, loads, refusal } from "./program.ts";

// --- Helpers

/** What kernels say of a call of a helper that programs of the kind lack. */
export const FORBIDDEN =
  /^(program of this type cannot use helper|(unknown|invalid) func|kernel subsystem misconfigured func)|not supported for program type|supported only for|helper call is not allowed in probe/;
const GPL_ONLY = /^cannot call GPL-restricted function/;

export interface Permissions {
  /** Ids that a program may call at all, ascending. */
  readonly allowed: readonly number[];
  /** Of these, those for programs with a GPL-compatible license only. */
  readonly gplOnly: readonly number[];
}

/** Calls each helper with whatever the registers hold: what the kernel says about the arguments tells that the call itself is allowed. */
export function* probeHelpers(kernel: Kernel, kind: Kind): Ask<Permissions> {
  const answers = yield* all([...HELPER_NAMES.keys()].map((id) => probeHelper(kernel, kind, id)));
  const idsWith = (what: "allowed" | "gplOnly"): number[] =>
    answers.flatMap((each, id) => (id > 0 && each[what] ? [id] : []));
  return { allowed: idsWith("allowed"), gplOnly: idsWith("gplOnly") };
}

/** Whether programs of the kind may call a helper, and whether only those with a GPL-compatible license. */
export function* probeHelper(
  kernel: Kernel,
  kind: Kind,
  id: number,
): Ask<{ allowed: boolean; gplOnly: boolean }> {
  const call = [callHelper(id)];
  if (FORBIDDEN.test(yield* refusal(kernel, kind, call))) return { allowed: false, gplOnly: false };
  const gplOnly = GPL_ONLY.test(yield* refusal(kernel, kind, call, { license: "Proprietary" }));
  return { allowed: true, gplOnly };
}

// --- Maps

/** The types of the maps that a program of the kind may not even refer to. */
export function* probeForbiddenMaps(kernel: Kernel, kind: Kind, materials: Materials): Ask<MapType[]> {
  const types = [...materials.maps.keys()];
  const permitted = yield* all(
    types.map((type) =>
      withMap(materials, type, (map) =>
        loads(kernel, kind, loadMap(2, 0), { maps: map === undefined ? [] : [map] }),
      ),
    ),
  );
  return types.filter((_, index) => permitted[index] === false);
}

// --- Return values

/** `should have been in [0, 1]`, before 6.8 `should have been in (0x0; 0x1)`: a value, and the bits that may differ. */
const RANGE = /should have been in (?:\[(-?\d+), (-?\d+)\]|\((0x[0-9a-f]+); (0x[0-9a-f]+)\))/;

/** r0 is any number: the difference of two pointers is one to kernels. It takes no helper, of which some kinds have none. */
const ANY_RESULT: readonly Uint8Array[] = [copy(0, 10), insn(0x1f, 0, 10), EXIT];

/**
 * The values that a program of the kind may return, `undefined` if any. The kernel's message names the range; its ends, and their neighbours
 * outside, are tried.
 *
 * @throws Error if the kernel does not do what its message says
 */
export function* probeReturns(kernel: Kernel, kind: Kind): Ask<ProgramFacts["returns"]> {
  const { accepted, log } = yield* load(kernel, kind, [], { end: ANY_RESULT });
  if (accepted) return undefined;
  const found = RANGE.exec(log);
  if (found === null) throw new Error(`${kind.type}: no range of return values in "${log}"`);
  const [, from, to, value, mask] = found;
  const [least, greatest] =
    from === undefined ? [Number(value), Number(value) + Number(mask)] : [Number(from), Number(to)];
  for (const [tried, allowed] of [
    [least, true],
    [greatest, true],
    [least - 1, false],
    [greatest + 1, false],
  ] as const) {
    if ((yield* loads(kernel, { ...kind, retval: tried }, [])) !== allowed) {
      throw new Error(
        `${kind.type}: returning ${tried} is ${allowed ? "refused" : "accepted"}, unlike "${found[0]}"`,
      );
    }
  }
  return [least, greatest];
}
