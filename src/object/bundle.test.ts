/** Expected: the bundle as the design's contract writes it down, RFC 9669's encodings, and errors spelt out by hand. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../semantics/errors.ts";
import { MAP_TYPES } from "../semantics/program/map-types.ts";
import {
  ATTACH_TYPES,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
} from "../semantics/program/program-types.ts";
import { type Bundle, EncodingError, readBundle } from "./bundle.ts";
import { writeBundle } from "./bundle-write.ts";

/** `r0 = 2; exit`. */
const RETURN_2 = "b700000002000000 9500000000000000";

const FULL = {
  name: "everything",
  type: "xdp",
  attach: "xdp",
  license: "Dual BSD/GPL",
  flags: ["any_alignment", "xdp_has_frags"],
  // r1 = map[1] ll; r0 = 2; exit
  insns: `1811000001000000 0000000000000000\n${RETURN_2}`,
  maps: [
    {
      name: "a",
      type: "array",
      key_size: 4,
      value_size: 8,
      max_entries: 1,
      flags: 128,
      data: "0102",
      frozen: true,
    },
    {
      name: "outer",
      type: "hash_of_maps",
      key_size: 4,
      value_size: 4,
      max_entries: 7,
      inner: { type: "hash", key_size: 2, value_size: 16, max_entries: 9 },
      fields: [
        { kind: "kptr", offset: 8, type: "task_struct" },
        { kind: "spin_lock", offset: 0 },
      ],
      btf_key: 1,
      btf_value: 2,
    },
  ],
  expect: {
    verdict: "accept",
    message: "nothing",
    runs: [{ packet: "00 11\t22", context: "ff", retval: 2 }, { retval: -1 }],
  },
};

/** The one line that reading gives for a wrong bundle. */
function problem(bundle: unknown): string {
  const text = typeof bundle === "string" ? bundle : JSON.stringify(bundle);
  try {
    readBundle(text);
  } catch (error) {
    if (error instanceof InputError) {
      expect(error.message).not.toContain("\n");
      return error.message;
    }
    throw error;
  }
  return "no error";
}

const small = (change: object): object => ({ name: "p", type: "xdp", insns: RETURN_2, ...change });
const mapWith = (change: object): object =>
  small({ maps: [{ name: "m", type: "array", key_size: 4, value_size: 8, max_entries: 1, ...change }] });

describe("reading a bundle", () => {
  it("reads all that the contract names", () => {
    const { program, expect: expected } = readBundle(JSON.stringify(FULL));
    expect(program).toMatchObject({
      name: "everything",
      type: "xdp",
      attach: "xdp",
      license: "Dual BSD/GPL",
      flags: ["any_alignment", "xdp_has_frags"],
      lines: [],
      functions: [],
    });
    expect(program.insns.map((insn) => insn && [insn.row.opcode, insn.dst, insn.src, insn.imm])).toEqual([
      [0x18, 1, 0, 1],
      undefined,
      [0xb7, 0, 0, 2],
      [0x95, 0, 0, 0],
    ]);
    expect(program.maps).toEqual([
      {
        name: "a",
        type: "array",
        keySize: 4,
        valueSize: 8,
        maxEntries: 1,
        flags: 128,
        data: new Uint8Array([1, 2]),
        frozen: true,
      },
      {
        name: "outer",
        type: "hash_of_maps",
        keySize: 4,
        valueSize: 4,
        maxEntries: 7,
        flags: 0,
        inner: { name: "inner", type: "hash", keySize: 2, valueSize: 16, maxEntries: 9, flags: 0 },
        fields: [
          { kind: "kptr", offset: 8, type: "task_struct" },
          { kind: "spin_lock", offset: 0 },
        ],
        btfKey: 1,
        btfValue: 2,
      },
    ]);
    expect(expected).toEqual({
      verdict: "accept",
      message: "nothing",
      runs: [
        { packet: new Uint8Array([0, 0x11, 0x22]), context: new Uint8Array([0xff]), retval: 2 },
        { retval: 0xffffffff },
      ],
    });
  });

  it("fills in what may be left out", () => {
    const { program, expect: expected } = readBundle(JSON.stringify(small({})));
    expect(program).toMatchObject({ license: "GPL", flags: [], maps: [] });
    expect("attach" in program).toBe(false);
    expect(expected).toBeUndefined();
  });

  it("names kernel functions by their positions, or in `asm` by their names", () => {
    const kfuncs = ["bpf_rcu_read_lock", "bpf_rcu_read_unlock"];
    const asm = ["call bpf_rcu_read_lock", "call bpf_rcu_read_unlock", "r0 = 0", "exit"];
    const bundle = readBundle(JSON.stringify({ name: "p", type: "xdp", asm, kfuncs }));
    expect(bundle.program.kfuncs).toEqual(kfuncs.map((name, insn) => ({ insn, name })));
    expect(readBundle(writeBundle(bundle))).toEqual(bundle);
    const other = { name: "p", type: "xdp", asm: ["call kfunc#2", "exit"], kfuncs };
    expect(() => readBundle(JSON.stringify(other))).toThrow("instruction 0 refers to kernel function 2 of 2");
  });

  it("names kernel symbols by their positions, or in `asm` by their names", () => {
    const ksyms = ["runqueues", { name: "linux_banner", typed: false }];
    const asm = ["r1 = btf_id[runqueues, 0]", "r2 = btf_id[linux_banner, 0]", "r0 = 0", "exit"];
    const bundle = readBundle(JSON.stringify({ name: "p", type: "xdp", asm, ksyms }));
    expect(bundle.program.ksyms).toEqual([
      { insn: 0, name: "runqueues", typed: true },
      { insn: 2, name: "linux_banner", typed: false },
    ]);
    // What has no type is a number that the loader puts there.
    expect(bundle.program.insns[2]?.row.name).toBe("ld_imm64");
    expect(readBundle(writeBundle(bundle))).toEqual(bundle);
    const other = { name: "p", type: "xdp", asm: ["r1 = btf_id[2, 0]", "exit"], ksyms };
    expect(() => readBundle(JSON.stringify(other))).toThrow("instruction 0 refers to kernel symbol 2 of 2");
  });

  it("assembles `asm`, as lines or one text, with maps by name", () => {
    const maps = [{ name: "m", type: "array", key_size: 4, value_size: 8, max_entries: 1 }];
    const lines = ["r1 = map[m]", "r0 = 2", "exit"];
    for (const asm of [lines, lines.join("\n")]) {
      const { program } = readBundle(JSON.stringify({ name: "p", type: "xdp", asm, maps }));
      expect(program.insns.map((insn) => insn?.row.opcode)).toEqual([0x18, undefined, 0xb7, 0x95]);
    }
  });
});

describe("errors name the place", () => {
  const cases: [unknown, string][] = [
    [small({ colour: 1 }), "colour: unknown key"],
    [mapWith({ colour: 1 }), "maps[0].colour: unknown key"],
    [small({ "a b": 1 }), '"a b": unknown key'],
    [mapWith({ type: "arrray" }), `maps[0].type: not one of ${MAP_TYPES.slice(1).join(", ")}`],
    [small({ type: "XDP" }), `type: not one of ${PROGRAM_TYPES.slice(1).join(", ")}`],
    [small({ type: "unspec" }), `type: not one of ${PROGRAM_TYPES.slice(1).join(", ")}`],
    [small({ insns: "b7 0" }), "insns: 3 hex digits are not whole bytes"],
    [small({ insns: "zz" }), 'insns: "z" is not a hex digit'],
    [small({ insns: 5 }), "insns: Invalid input: expected string, received number"],
    [{ name: "p", type: "xdp" }, "insns: a bundle has either insns or asm"],
    [small({ asm: "exit" }), "insns: a bundle has either insns or asm"],
    [{ name: "p", type: "xdp", asm: 5 }, "asm: not a text or a list of lines"],
    [{ type: "xdp", insns: RETURN_2 }, "name: Invalid input: expected string, received undefined"],
    [mapWith({ key_size: -1 }), "maps[0].key_size: Too small: expected number to be >=0"],
    [
      mapWith({ inner: { type: "array", inner: {} } }),
      "maps[0].inner.key_size: Invalid input: expected number, received undefined",
    ],
    [
      small({ insns: `1811000001000000 0000000000000000 ${RETURN_2}` }),
      "insns: instruction 0 refers to map 1 of 0",
    ],
    [small({ func_info: [{ insn: 0, type_id: 1 }] }), "func_info[0]: there is no btf that it refers to"],
    [small({ expect: { verdict: "maybe" } }), "expect.verdict: not one of accept, reject"],
    [[], "bundle: Invalid input: expected object, received array"],
    ['{\n  "name": "p",\n  }', 'line 3, column 3: expected a key, found "}"'],
    ['{"a": [1, 2', 'line 1, column 12: expected "," or "]", found the end'],
    ['{"a": "x\ny"}', 'line 1, column 9: expected the end of the string, found "\\n"'],
    ['{"a" 1}', 'line 1, column 6: expected ":", found "1"'],
    ['{"a": tru}', 'line 1, column 7: expected a value, found "t"'],
    ['{"a": 1} x', 'line 1, column 10: expected the end, found "x"'],
    ["", "line 1, column 1: expected a value, found the end"],
  ];
  for (const [bundle, message] of cases)
    it(message.slice(0, 60), () => expect(problem(bundle)).toBe(message));

  it("does not confuse `__proto__` with a known key", () => {
    expect(problem('{"name":"p","type":"xdp","insns":"","__proto__":{}}')).toBe("__proto__: unknown key");
  });

  it("tells instructions that no kernel would load from a file that is no bundle", () => {
    const attempt = (): Bundle => readBundle(JSON.stringify(small({ insns: "ff00000000000000" })));
    expect(attempt).toThrow(EncodingError);
    expect(attempt).toThrow(/^insns: instruction 0: /);
    expect(() => readBundle(JSON.stringify({ name: "p", type: "xdp", asm: ["r0 = 2", "r99 = 1"] }))).toThrow(
      /^asm: line 2/,
    );
  });

  it("survives any nesting", () => {
    expect(problem("[".repeat(100_000))).toBe("line 1, column 100001: expected a value, found the end");
  });

  it("finds the place of any damage to a good text, and never takes a good text for damaged", () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", "}", "]", ",", '"', "x", "\u0001"),
        (json, at, insert) => {
          const cut = at % (json.length + 1);
          const text = json.slice(0, cut) + insert + json.slice(cut + 1);
          let good = true;
          try {
            JSON.parse(text);
          } catch {
            good = false;
          }
          const message = problem(text);
          expect(/^line \d+, column \d+: expected (?!JSON)/.test(message)).toBe(!good);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("writing a bundle", () => {
  const hex = fc.uint8Array({ maxLength: 12 });
  const u32 = fc.nat(0xffff_ffff);
  const flagNames = Object.keys(LOAD_FLAGS).filter((name): name is LoadFlag => name in LOAD_FLAGS);
  const plainMap = fc.record(
    {
      name: fc.string(),
      type: fc.constantFrom(...MAP_TYPES.slice(1)),
      keySize: u32,
      valueSize: u32,
      maxEntries: u32,
      flags: u32,
      data: hex,
      frozen: fc.constant(true),
      btfKey: u32,
      btfValue: u32,
      fields: fc.array(
        fc.record(
          { kind: fc.string(), offset: u32, type: fc.string() },
          { requiredKeys: ["kind", "offset"] },
        ),
        {
          minLength: 1,
        },
      ),
    },
    { requiredKeys: ["name", "type", "keySize", "valueSize", "maxEntries", "flags"] },
  );
  const map = fc
    .tuple(plainMap, fc.option(plainMap))
    .map(([outer, inner]) => (inner === null ? outer : { ...outer, inner }));
  const expectation = fc.record(
    {
      verdict: fc.constantFrom("accept" as const, "reject" as const),
      message: fc.string(),
      runs: fc.array(fc.record({ packet: hex, context: hex, retval: u32 }, { requiredKeys: ["retval"] })),
    },
    { requiredKeys: ["verdict", "runs"] },
  );
  const program = fc.record(
    {
      name: fc.string(),
      type: fc.constantFrom(...PROGRAM_TYPES.slice(1)),
      attach: fc.constantFrom(...ATTACH_TYPES),
      license: fc.string(),
      flags: fc.uniqueArray(fc.constantFrom(...flagNames)),
      insns: fc.constant(readBundle(JSON.stringify(FULL)).program.insns),
      maps: fc.array(map, { minLength: 2, maxLength: 3 }),
      lines: fc.constant([]),
      functions: fc.constant([]),
    },
    { requiredKeys: ["name", "type", "license", "flags", "insns", "maps", "lines", "functions"] },
  );

  it("gives back what it was given", () => {
    fc.assert(
      fc.property(fc.record({ program, expect: expectation }, { requiredKeys: ["program"] }), (bundle) => {
        expect(readBundle(writeBundle(bundle))).toEqual(bundle);
      }),
    );
  });
});
