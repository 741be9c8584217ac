/** Maps of all types with sizes and flags drawn by chance, some right and most wrong in one way or another. */
import fc from "fast-check";
import { loadBtf } from "../../src/oracle/linux/btf-records.ts";
import { errorNumber, KernelError } from "../../src/oracle/linux/errno.ts";
import { createMap } from "../../src/oracle/linux/maps.ts";
import { KEY_TYPE, TYPES, VALUE_TYPE } from "../../src/oracle/linux/probe/types.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { MAP_FLAGS, type MapDefinition } from "../../src/semantics/program/map-types.ts";
import { INNER } from "./map-references.ts";
import { SHAPES } from "./map-shapes.ts";

const BASE = 2 ** 32;
const TYPED = { btfKey: KEY_TYPE, btfValue: VALUE_TYPE };
/** A token has to be named, and the bits behind are not those of every kernel. */
const FLAGS = Object.values(MAP_FLAGS).filter((flag) => flag !== MAP_FLAGS.token);

const SHAPE = fc.constantFrom(...Object.values(SHAPES).flat());
/** What is put in place of a right number: nothing, for the most part. */
const instead = <T>(...values: readonly T[]): fc.Arbitrary<T | undefined> =>
  fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });

export const creation: fc.Arbitrary<MapDefinition> = fc
  .record({
    shape: SHAPE,
    keySize: instead(0, 1, 3, 4, 5, 8, 16, 260, 261, 512, 513),
    valueSize: instead(
      0,
      1,
      4,
      7,
      8,
      16,
      32,
      1016,
      1024,
      32_768,
      32_769,
      65_407,
      65_408,
      2 ** 22,
      2 ** 22 + 1,
    ),
    maxEntries: instead(0, 1, 3, 4096, 8192, 5000),
    flags: fc.array(fc.constantFrom(...FLAGS), { maxLength: 2 }),
    only: fc.boolean(),
    extra: instead(1, 5, 15, 16, 4096),
    hasTypes: fc.boolean(),
  })
  .map(({ shape, flags, only, extra, hasTypes, ...sizes }) => {
    const given = flags.reduce((a, b) => a | b, only ? 0 : shape.flags);
    const valueSize = sizes.valueSize ?? shape.valueSize;
    const entries = sizes.maxEntries ?? shape.maxEntries;
    const { type } = shape;
    // A perf event array without a size is given one by libbpf, and by `createMap`.
    const least = type === "perf_event_array" ? 1 : 0;
    // Types of other sizes are refused for that.
    const isTyped = hasTypes && (valueSize === 8 || valueSize > 65_407) && shape.btfValue === VALUE_TYPE;
    const arenaAt = type === "arena" ? { extra: BASE + (extra ?? 0) } : {};
    return {
      name: "m",
      type,
      keySize: sizes.keySize ?? shape.keySize,
      valueSize,
      // Not more memory than a test ought to take, nor more processors than any kernel is built for.
      maxEntries: Math.max(least, valueSize > 4096 || type === "cpumap" ? Math.min(entries, 2) : entries),
      flags: given,
      ...(extra === undefined ? {} : { extra }),
      ...arenaAt,
      ...(shape.inner === undefined ? {} : { inner: INNER }),
      ...(isTyped ? TYPED : {}),
    };
  });

/** The negative error number with which the kernel answers, or 0. */
export function kernelsAnswer(definition: MapDefinition): number {
  const btf = loadBtf(THIS_MACHINE, TYPES);
  try {
    createMap(definition, btf).close();
    return 0;
  } catch (error) {
    if (error instanceof KernelError) return -(errorNumber(error.errno) ?? Number.NaN);
    throw error;
  } finally {
    THIS_MACHINE.close(btf);
  }
}
