/** The certificate format: what is written is read again, and nothing else is. */
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { allocate, reset } from "../../absint/arena.ts";
import { stateIncludes } from "../../absint/inclusion.ts";
import { FLAG, KIND, WHOLE } from "../../absint/register.ts";
import { fromBytes, initialise, LIVE_STATE_BYTES, share, toBytes } from "../../absint/state.ts";
import { SCRATCH } from "../../absint/transfer/machine.ts";
import { InputError } from "../../semantics/errors.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../verify.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeCertificate } from "./decode.ts";
import { encodeCertificate } from "./encode.ts";
import { decodeFile, encodeFile } from "./file.ts";
import { programHash } from "./program-hash.ts";
import { decodeRegister, encodeRegister } from "./register.ts";
import { decodeScalar, encodeScalar } from "./scalar.ts";
import { readState } from "./state.ts";

/** Two functions, spills of several widths, a buffer, a packet, linked numbers. */
const PROGRAM: Program = {
  name: "sample",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble([
    "r6 = *(u32 *)(r1 +0)",
    "r7 = *(u32 *)(r1 +4)",
    "r8 = *(u32 *)(r1 +12)",
    "*(u64 *)(r10 -8) = r8",
    "*(u32 *)(r10 -16) = r8",
    "*(u16 *)(r10 -24) = r8",
    "*(u64 *)(r10 -40) = 0",
    "r9 = r8",
    "r9 += 4",
    "r2 = r6",
    "r2 += 14",
    "r0 = 1",
    "if r2 > r7 goto out",
    "r1 = r8",
    "call f",
    "if r8 > 9 goto join",
    "r0 += 1",
    "join:",
    "r3 = *(u8 *)(r6 +13)",
    "r0 += r3",
    "r3 = *(u64 *)(r10 -8)",
    "r3 = *(u32 *)(r10 -16)",
    "out:",
    "exit",
    "f:",
    "r0 = 3",
    "if r1 > 5 goto done",
    "r0 = 4",
    "done:",
    "exit",
  ]),
  maps: [],
  lines: [],
  functions: [],
};

function certificate() {
  const verdict = verify(PROGRAM);
  if (verdict.verdict !== "accept") throw new Error(JSON.stringify(verdict));
  return verdict.certificate;
}

const written = (write: (out: ByteWriter) => void): ByteReader => {
  const out = new ByteWriter();
  write(out);
  return new ByteReader(out.finish());
};

describe("numbers", () => {
  property.prop([fc.maxSafeNat()])("varints", (value) => {
    expect(written((out) => out.varint(value)).varint("it", Number.MAX_SAFE_INTEGER)).toBe(value);
  });
  property.prop([fc.integer()])("signed", (value) => {
    expect(written((out) => out.signed(value)).signed("it", 2 ** 31)).toBe(value);
  });
  property.prop([fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })])("64-bit", (value) => {
    expect(written((out) => out.wide(value)).wide("it")).toBe(value);
  });

  test("the form is that of LEB128, the signed one interleaved", () => {
    // 624485 is the worked example of DWARF 4, appendix C.
    const out = new ByteWriter();
    out.varint(624485);
    out.signed(-1);
    out.signed(1);
    out.wide(2n ** 64n - 2n);
    expect([...out.finish()]).toEqual([0xe5, 0x8e, 0x26, 1, 2, 3]);
  });

  test("what is no number in its one form is refused where it begins", () => {
    const from = (...bytes: readonly number[]): ByteReader =>
      new ByteReader(Uint8Array.from([9, ...bytes]), 1);
    expect(() => from(0x80, 0).varint("it", 9)).toThrow("offset 1: a number with a leading zero");
    expect(() => from(0x80).varint("it", 9)).toThrow("offset 2: ends in the middle");
    expect(() => from(10).varint("it", 9)).toThrow("offset 1: it is 10, which is more than 9");
    expect(() => from(...Array.from({ length: 9 }, () => 0x81)).varint("it", 9)).toThrow("too long");
    expect(() => from(...Array.from({ length: 9 }, () => 0xff), 2).wide("it")).toThrow("more than 64 bits");
    expect(() => from(5, 0, 0).count("it")).toThrow("it is 5, and 2 bytes follow");
    expect(() => from(1, 0xff).text("it")).toThrow("offset 1: it is not UTF-8");
  });
});

const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 255n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
);
const u32 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
  fc.constantFrom(0n, 2n ** 31n, 2n ** 32n - 1n),
);
const scalars = fc.record({
  value: u64,
  mask: u64,
  umin: u64,
  umax: u64,
  smin: u64,
  smax: u64,
  umin32: u32,
  umax32: u32,
  smin32: u32,
  smax32: u32,
});
const word = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe("values", () => {
  property.prop([scalars])("scalars, whatever their components", (scalar) => {
    expect(decodeScalar(written((out) => encodeScalar(out, scalar)))).toEqual(scalar);
  });

  property.prop([scalars, fc.integer(), fc.integer({ min: -63, max: 64 }), word])(
    "numbers with and without links",
    (scalar, delta, form, id) => {
      const link = id === 0 ? { delta: 0, form: WHOLE } : { delta, form };
      const number = { kind: KIND.scalar, scalar, id, ...link, off: 0, range: 0, object: 0 };
      expect(decodeRegister(written((out) => encodeRegister(out, number)))).toEqual(number);
    },
  );

  property.prop([
    scalars,
    fc.constantFrom(...Object.values(KIND).filter((kind) => kind > KIND.scalar)),
    fc.subarray(Object.values(FLAG)),
    word,
    fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
    word,
    word,
  ])("pointers of every kind, with any flags", (scalar, base, flags, id, off, range, object) => {
    const kind = flags.reduce((all, flag) => all | flag, base);
    const pointer = { kind, scalar, id, delta: 0, form: WHOLE, off, range, object };
    expect(decodeRegister(written((out) => encodeRegister(out, pointer)))).toEqual(pointer);
  });
});

describe("certificates", () => {
  test("a certificate that is written and read means the same", () => {
    const before = certificate();
    const bytes = encodeCertificate(before);
    const after = decodeCertificate(new ByteReader(bytes));
    expect(encodeCertificate(after)).toEqual(bytes);
    expect(after.nodes.map(({ pc, edges, loops, measure }) => ({ pc, edges, loops, measure }))).toEqual(
      before.nodes.map(({ pc, edges, loops, measure }) => ({ pc, edges, loops, measure })),
    );
    reset();
    const address = (state: Uint8Array): number => {
      const at = allocate(state.length);
      fromBytes(state, at);
      return at;
    };
    before.nodes.forEach(({ state }, i) => {
      const [old, read] = [address(state), address(after.nodes[i]?.state ?? new Uint8Array())];
      expect(stateIncludes(old, read, SCRATCH.value)).toBe(true);
      expect(stateIncludes(read, old, SCRATCH.value)).toBe(true);
    });
  });

  test("shared slots are read again", () => {
    const before = certificate();
    reset();
    const at = allocate(LIVE_STATE_BYTES);
    initialise(at);
    for (const slot of [0, 31, 63]) share(at, 0, slot);
    const [node = expect.fail("a node")] = before.nodes;
    const changed = { nodes: [{ ...node, state: toBytes(at) }], roots: [] };
    const { nodes } = decodeCertificate(new ByteReader(encodeCertificate(changed)));
    expect(nodes.map(({ state }) => readState(state))).toEqual([readState(toBytes(at))]);
    expect(readState(toBytes(at)).frames[0]?.shared).toEqual([0x80000001, 0x80000000]);
  });

  test("every part of a certificate is missed", () => {
    const bytes = encodeCertificate(certificate());
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeCertificate(new ByteReader(bytes.subarray(0, length)))).toThrow(InputError);
    }
    expect(() => decodeCertificate(new ByteReader(Uint8Array.from([...bytes, 0])))).toThrow(
      "1 bytes too many",
    );
  });

  property.prop([fc.uint8Array({ maxLength: 60 })])(
    "bytes from anywhere are refused in one line, or read",
    (bytes) => {
      try {
        const read = decodeCertificate(new ByteReader(bytes));
        expect(encodeCertificate(read)).toEqual(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect(String(error)).toMatch(/^InputError: offset \d+: [^\n]+$/);
      }
    },
  );

  test("few bytes cannot ask for much memory", () => {
    const deep = written((out) => {
      out.varint(0);
      out.varint(1);
      // A frame of 64 unused slots.
      for (const n of [0, 0, 0, 0, 64, 63 << 3]) out.varint(n);
      const nodes = 100;
      out.varint(nodes);
      // Eight such frames in each node, at insn 0, without edges.
      for (let i = 0; i < nodes; i += 1)
        for (const n of [0, 7 << 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]) out.varint(n);
    });
    expect(() => decodeCertificate(deep, 2 ** 20)).toThrow("the states are more than 1048576 bytes");
  });
});

describe("files", () => {
  const entry = () => ({
    name: "sample",
    hash: programHash(PROGRAM),
    profile: "6.18",
    body: encodeCertificate(certificate()),
  });

  test("entries come back", () => {
    const { body, ...heading } = entry();
    const [read, ...more] = decodeFile(encodeFile([{ ...heading, body }]));
    expect(more).toEqual([]);
    expect(read).toMatchObject({ ...heading, hash: expect.any(Uint8Array), size: body.length });
    expect(read?.hash).toEqual(Uint8Array.from(heading.hash));
    expect(decodeFile(encodeFile([]))).toEqual([]);
  });

  test("other files and other versions are refused", () => {
    expect(() => decodeFile(new TextEncoder().encode("\u007fELF and so on"))).toThrow(
      "offset 0: not a certificate file",
    );
    expect(() => decodeFile(new Uint8Array())).toThrow("not a certificate file");
    const bytes = encodeFile([entry()]);
    bytes[8] = 3;
    expect(() => decodeFile(bytes)).toThrow("offset 8: version 3, not 2");
  });

  test("a program's hash is of what it does, not of its name", () => {
    const hash = programHash(PROGRAM);
    expect(programHash({ ...PROGRAM, name: "other" })).toEqual(hash);
    const changed: readonly Partial<Program>[] = [
      { license: "MIT" },
      { type: "sched_cls" },
      { flags: ["sleepable"] },
      { insns: assemble(["r0 = 0", "exit"]) },
      { maps: [{ name: "m", type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 }] },
    ];
    for (const change of changed) expect(programHash({ ...PROGRAM, ...change })).not.toEqual(hash);
  });
});
