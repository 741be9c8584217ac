/** Sequences of operations on maps of all types, drawn by chance, in the machine and in the kernel. */
import fc from "fast-check";
import { MAP_TYPES, type MapDefinition, type MapType } from "../../src/semantics/program/map-types.ts";
import { commandsOf, MapPair, type Operation } from "./map-pair.ts";
import { helpersOf } from "./map-programs.ts";
import type { Reference } from "./map-references.ts";
import { SHAPES } from "./map-shapes.ts";

export const TRIED: readonly MapType[] = MAP_TYPES.filter((type) => SHAPES[type] !== undefined);

/** Mostly none, since others are errors more often than not. */
const FLAGS = [...Array.from({ length: 30 }, () => 0n), 1n, 1n, 2n, 2n, 3n, 4n, 5n, 6n, 8n, 1n << 33n];

const some = {
  key: fc.nat({ max: 255 }),
  value: fc.nat({ max: 255 }),
  flags: fc.constantFrom(...FLAGS),
  count: fc.nat({ max: 9 }),
};
/** Commands as often as helpers, where programs may call any. */
function operationOn(definition: MapDefinition): fc.Arbitrary<Operation> {
  const helpers = helpersOf(definition);
  const what = fc.constantFrom(...commandsOf(definition));
  const asUser = fc.record({ side: fc.constant("user" as const), what, ...some });
  if (helpers.length === 0) return asUser;
  const called = fc.constantFrom(...helpers);
  return fc.oneof(asUser, fc.record({ side: fc.constant("program" as const), what: called, ...some }));
}

/** @param length  operations at most */
export const sequence = (
  type: MapType,
  length: number,
): fc.Arbitrary<readonly [MapDefinition, readonly Operation[]]> =>
  fc
    .constantFrom(...(SHAPES[type] ?? []))
    .chain((definition) =>
      fc.tuple(
        fc.constant(definition),
        fc.array(operationOn(definition), { minLength: length, maxLength: length, size: "max" }),
      ),
    );

const shown = (operation: Operation): string =>
  JSON.stringify(operation, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

/** Operations that made sense, and those of them that were no errors. */
export interface Tally {
  compared: number;
  succeeded: number;
}

/** A program's result is the first word of what it leaves. */
function isSuccess(answer: number | string, { side }: Operation): boolean {
  if (typeof answer === "number") return answer >= 0;
  return side === "program" ? answer.slice(8, 16) !== "ffffffff" : !answer.startsWith("-");
}

/** Performs them on both, and counts them. @throws at the first one that differs */
export function compare(
  definition: MapDefinition,
  operations: readonly Operation[],
  pool: readonly Reference[],
  tally: Tally,
): void {
  const pair = new MapPair(definition, pool);
  try {
    for (const [i, one] of operations.entries()) {
      const answers = pair.perform(one);
      if (answers === undefined) continue;
      tally.compared += 1;
      if (isSuccess(answers.machine, one)) tally.succeeded += 1;
      if (answers.machine !== answers.kernel) {
        const { type, keySize, valueSize, maxEntries, flags } = definition;
        throw new Error(
          `${type} (${keySize}, ${valueSize}, ${maxEntries}, ${flags}): operation ${i} ${shown(one)}\n  machine ${answers.machine}\n  kernel  ${answers.kernel}`,
        );
      }
    }
    const contents = pair.contents();
    if (contents !== undefined && contents.machine.join() !== contents.kernel.join()) {
      throw new Error(
        `contents:\n  machine ${contents.machine.join(" ")}\n  kernel  ${contents.kernel.join(" ")}`,
      );
    }
  } finally {
    pair.close();
  }
}
