/**
 * BTF, function and line information on their way into the running kernel. The BTF is written here by hand, from the layout that
 * Documentation/bpf/btf.rst gives.
 */
import { describe, expect, it } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import { kernelAvailable } from "./kernel.ts";
import { loadProgram } from "./load.ts";
import { testRun } from "./test-run.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const STRINGS = "\0int\0main\0twice\0x\0dir/file.c\0return twice(21);\0return x + x;\0";
const at = (text: string): number => STRINGS.indexOf(`\0${text}\0`) + 1;
const INT = 1 << 24;
const FUNC = 12 << 24;
const FUNC_PROTO = 13 << 24;

function words(...rows: readonly (readonly number[])[]): Uint8Array {
  const numbers = rows.flat();
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((n, index) => view.setUint32(index * 4, n, true));
  return new Uint8Array(view.buffer);
}

/** `int twice(int x)`, global, and `int main()`. */
const TYPES = words(
  [at("int"), INT, 4, (1 << 24) | 32],
  [0, FUNC_PROTO, 1],
  [at("main"), FUNC | 1, 2],
  [0, FUNC_PROTO | 1, 1, at("x"), 1],
  [at("twice"), FUNC | 1, 4],
);

function rawBtf(): Uint8Array {
  const strings = new TextEncoder().encode(STRINGS);
  const header = words([0x0001eb9f, 24, 0, TYPES.length, TYPES.length, strings.length]);
  return new Uint8Array([...header, ...TYPES, ...strings]);
}

const PROGRAM: Program = {
  name: "global functions",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble("r1 = 21\ncall twice\nexit\ntwice:\nr0 = r1\nr0 += r1\nexit"),
  maps: [],
  lines: [],
  functions: [
    { insn: 0, name: "main", typeId: 3, linkage: "global" },
    { insn: 3, name: "twice", typeId: 5, linkage: "global" },
  ],
  btf: rawBtf(),
  lineInfo: words(
    [0, at("dir/file.c"), at("return twice(21);"), (7 << 10) | 3],
    [3, at("dir/file.c"), at("return x + x;"), (11 << 10) | 5],
  ),
};

describe.skipIf(!kernel.ok)("a program with BTF", () => {
  it("has its global functions verified on their own, and its lines in the log", () => {
    const result = loadProgram(PROGRAM, { logLevel: 2 });
    if (result.verdict === "reject") throw new Error(result.log);
    expect(result.log).toContain("Func#1 ('twice') is global and assumed valid.");
    expect(result.log).toContain("; return twice(21); @ file.c:7");
    expect(result.log).toContain("; return x + x; @ file.c:11");
    expect(testRun(result.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 42 });
    result.close();
  });

  it("is a program with a static function without it", () => {
    const result = loadProgram(PROGRAM, { logLevel: 2, withBtf: false });
    if (result.verdict === "reject") throw new Error(result.log);
    expect(result.log).not.toContain("is global");
    expect(result.log).not.toContain("; return");
    result.close();
  });

  it("is rejected where the BTF is wrong, with the kernel's reason", () => {
    const btf = rawBtf();
    // The function's type is now an integer.
    new DataView(btf.buffer).setUint32(24 + 16 + 12 + 8, 1, true);
    const result = loadProgram({ ...PROGRAM, btf });
    if (result.verdict === "accept") throw new Error("accepted");
    expect(result).toMatchObject({ stage: "btf", errno: "EINVAL" });
    expect(result.log).toMatch(/\[3\] FUNC main type_id=1/);
  });
});
