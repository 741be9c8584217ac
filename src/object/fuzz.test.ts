import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, Unsupported } from "../semantics/errors.ts";
import { type Btf, readBtf } from "./btf.ts";
import { readElf } from "./elf.ts";
import { type ObjectFile, readObject } from "./programs.ts";

const TESTDATA = new URL("testdata/", import.meta.url);
const CORPUS = new URL("../../corpus/objects/", import.meta.url);

const objects = [
  ...readdirSync(TESTDATA).map((name) => new URL(name, TESTDATA)),
  ...["core_kinds.v3.o", "xdp_tail_calls.v4.o", "xdp_global_data.v1.o"].map((name) => new URL(name, CORPUS)),
]
  .filter(({ pathname }) => pathname.endsWith(".o"))
  .map((url) => new Uint8Array(readFileSync(url)));

/** A kernel of our own, so that CO-RE runs: an object's types stand for it. */
const targetBtf: Btf = readBtf(
  readElf(readFileSync(new URL("core_kinds.v4.o", CORPUS))).section(".BTF")?.data.bytes ?? new Uint8Array(0),
);

/** Values that size and count fields go wrong with. */
const nasty = fc.oneof(
  fc.constantFrom(0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** What to do to a file: overwrite a word or a byte, copy a piece over another, cut it off. */
const change = fc.oneof(
  fc.record({ kind: fc.constant("word" as const), at: fc.nat(), value: nasty }),
  fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    kind: fc.constant("copy" as const),
    at: fc.nat(),
    from: fc.nat(),
    size: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function mutate(object: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = object.slice();
  for (const step of changes) {
    const at = bytes.length === 0 ? 0 : step.at % bytes.length;
    if (step.kind === "cut") bytes = bytes.slice(0, at);
    else if (step.kind === "byte") bytes.fill(step.value, at, at + 1);
    else if (step.kind === "copy")
      bytes.copyWithin(at, step.from % (bytes.length + 1), (step.from % (bytes.length + 1)) + step.size);
    else if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at & ~3, step.value, true);
  }
  return bytes;
}

/** Reads, and says how it ended. */
function attempt(bytes: Uint8Array): ObjectFile | string {
  try {
    return readObject(bytes, { targetBtf, defaultType: "xdp" });
  } catch (error) {
    if (error instanceof InputError || error instanceof Unsupported) return error.message;
    throw error;
  }
}

describe("malformed objects", () => {
  test("end in one line that names a place, whatever is wrong with them", () => {
    let refused = 0;
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...objects),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (object, changes) => {
          const result = attempt(mutate(object, changes));
          const messages =
            typeof result === "string" ? [result] : result.failures.map(({ message }) => message);
          for (const message of messages) expect(message).toMatch(/^[^\n]+$/);
          if (typeof result === "string") refused++;
          else read++;
        },
      ),
      { numRuns: 3000, seed: 1 },
    );
    // Both ends are worth reaching: refusing everything would pass too.
    expect(Math.min(refused, read)).toBeGreaterThan(300);
  });

  test("every truncation of an object is refused or read", () => {
    const [object = new Uint8Array(0)] = objects;
    for (let size = 0; size < object.length; size += 13) {
      expect(typeof attempt(object.slice(0, size))).toBe("string");
    }
  });
});
