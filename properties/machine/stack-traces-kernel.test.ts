/**
 * Claim: maps of stack traces number traces as the kernel's do, and user space finds, walks and deletes the same. The traces are the kernel's own, of a raw tracepoint program that is run by
 * bpf(2), with more or less of the innermost frames passed over. Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { MapCommands } from "../../src/oracle/linux/map-commands.ts";
import { createMap as createKernelMap } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { StackTraces } from "../../src/vm/maps/stack-traces.ts";
import { indexKey } from "../../src/vm/maps/storage.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const FAST_COMPARE = 1 << 9;
const REUSE = 1 << 10;
/** Frames that are passed over: those of the program itself, which lies elsewhere each time, and some more. */
const SKIPPED = [3, 4, 5, 6];

const stacks = (maxEntries: number, valueSize: number): MapDefinition => ({
  name: "m",
  type: "stack_trace",
  keySize: 4,
  valueSize,
  maxEntries,
  flags: 0,
});

/** A map and what gives the number that get_stackid answers for some flags, in the kernel. */
function kernelStacks(definition: MapDefinition) {
  const map = createKernelMap(definition);
  const close: (() => void)[] = [() => map.close()];
  const record = (flags: number): number => {
    const asm = `r2 = map[m]\nr3 = ${flags}\ncall bpf_get_stackid\nexit`;
    const insns = assemble(asm, { maps: [definition] });
    const loaded = loadProgram(
      {
        name: "stack",
        type: "raw_tracepoint",
        license: "GPL",
        flags: [],
        insns,
        maps: [definition],
        lines: [],
        functions: [],
      },
      { maps: [map] },
    );
    if (loaded.verdict === "reject") throw new Error(loaded.message);
    const ran = testRun(loaded.fd, { context: new Uint8Array(8), contextBack: false });
    loaded.close();
    if (!ran.ran) throw new Error(ran.message);
    return ran.retval | 0;
  };
  return {
    record,
    commands: new MapCommands(map),
    close: () => {
      for (const each of close) each();
    },
  };
}

/** Addresses of a value, up to the zeros that fill it. */
function addressesOf(value: Uint8Array): readonly bigint[] {
  const words = [...new BigUint64Array(value.slice().buffer)];
  const end = words.indexOf(0n);
  return end === -1 ? words : words.slice(0, end);
}

const shown = (result: Uint8Array | number): string | number =>
  typeof result === "number" ? result : Buffer.from(result).toString("hex");

describe.skipIf(!kernel.ok)("stack traces", () => {
  const learn = (valueSize: number): ReadonlyMap<number, readonly bigint[]> => {
    const large = kernelStacks(stacks(4096, valueSize));
    try {
      return new Map(
        SKIPPED.map((skip) => {
          const value = large.commands.lookup(indexKey(large.record(skip)));
          if (typeof value === "number") throw new Error(`no trace without ${skip} frames: ${value}`);
          return [skip, addressesOf(value)];
        }),
      );
    } finally {
      large.close();
    }
  };

  it.each([
    [4096, 512],
    [64, 512],
    [64, 32],
    [3, 512],
    [1, 512],
  ])("in a map of %i, %i bytes each", (maxEntries, valueSize) => {
    const traces = learn(valueSize);
    const definition = stacks(maxEntries, valueSize);
    const theirs = kernelStacks(definition);
    const ours = new StackTraces(definition);
    try {
      for (const more of [0, FAST_COMPARE, REUSE, 0]) {
        for (const skip of [...SKIPPED, 3]) {
          const answer = ours.record(traces.get(skip) ?? [], BigInt(more));
          expect({ more, skip, answer }).toEqual({ more, skip, answer: theirs.record(skip | more) });
        }
        let key: Uint8Array | undefined;
        for (;;) {
          const next = ours.nextKey(key);
          expect(shown(next)).toBe(shown(theirs.commands.nextKey(key)));
          if (typeof next === "number") break;
          expect(shown(ours.lookup(next))).toBe(shown(theirs.commands.lookup(next)));
          key = next;
        }
        if (key === undefined) continue;
        expect(ours.delete(key)).toBe(theirs.commands.delete(key));
        const first = ours.nextKey(undefined);
        if (typeof first === "number") continue;
        expect(shown(ours.lookupAndDelete(first))).toBe(shown(theirs.commands.lookupAndDelete(first)));
      }
    } finally {
      theirs.close();
    }
  });
});
