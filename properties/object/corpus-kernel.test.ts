/**
 * Claim: what `corpus/expectations.json` says of every corpus program, the running kernel says too, at every ISA version: verdict, errno and
 * message, return values and packets. With it stands that the object reader builds what libbpf would: a wrong relocation, map or line
 * record does not load, or runs differently.
 */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { readBtf } from "../../src/object/btf.ts";
import { type CorpusExpectation, readExpectations } from "../../src/object/expectations.ts";
import { type ObjectFile, readObject } from "../../src/object/programs.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { word } from "../../src/oracle/linux/maps.ts";
import { KERNEL_BTF } from "../../src/oracle/linux/object-options.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import type { Program } from "../../src/semantics/program/program.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/object/corpus-kernel skipped: ${kernel.reason}`);

const CORPUS = new URL("../../corpus/", import.meta.url);
const VERSIONS = [1, 2, 3, 4];

let programs = 0;
let runs = 0;

const targetBtf = kernel.ok && kernel.btf ? readBtf(readFileSync(KERNEL_BTF)) : undefined;

function read(name: string, version: number): ObjectFile {
  const bytes = readFileSync(new URL(`objects/${name}.v${version}.o`, CORPUS));
  return readObject(bytes, targetBtf === undefined ? {} : { targetBtf });
}

/** Loads, or fails with the kernel's log. */
function accepted(program: Program): Accepted {
  const result = loadProgram(program);
  if (result.verdict === "reject") throw new Error(`${program.name} was rejected: ${result.log}`);
  return result;
}

/** Puts the object's programs into the program arrays of a loaded one, that one itself too; what it gives must be closed. Others have maps of their own. */
function fillProgramArrays(loaded: Accepted, program: Program, object: ObjectFile): Accepted[] {
  const filled: Accepted[] = [];
  for (const map of loaded.maps) {
    if (map.definition.type !== "prog_array") continue;
    for (const { index, name } of map.definition.holds ?? []) {
      const held = object.programs.find((program) => program.name === name);
      if (held === undefined) throw new Error(`no program ${name}`);
      const one = held === program ? loaded : accepted(held);
      if (one !== loaded) filled.push(one);
      map.update(word(index), word(one.fd));
    }
  }
  return filled;
}

function checkAccepted(program: Program, object: ObjectFile, wanted: CorpusExpectation): void {
  for (const run of wanted.runs) {
    // Loaded anew for each run: maps keep what a run leaves.
    const loaded = accepted(program);
    const filled = fillProgramArrays(loaded, program, object);
    try {
      const result = testRun(loaded.fd, { packet: run.packet });
      if (!result.ran) throw new Error(`${run.name}: ${result.message}`);
      expect(result.retval, run.name).toBe(run.retval);
      if (run.packetOut !== undefined) {
        expect(Buffer.from(result.packet).toString("hex"), run.name).toBe(
          Buffer.from(run.packetOut).toString("hex"),
        );
      }
      runs++;
    } finally {
      for (const { close } of [loaded, ...filled]) close();
    }
  }
  if (wanted.runs.length === 0) accepted(program).close();
}

function checkRejected(program: Program, wanted: CorpusExpectation): void {
  const result = loadProgram(program);
  if (result.verdict === "accept") result.close();
  expect(result.verdict).toBe("reject");
  if (result.verdict === "accept") return;
  expect({ stage: result.stage, errno: result.errno }).toEqual({ stage: "program", errno: wanted.errno });
  expect(result.log).toContain(wanted.message);
}

describe.skipIf(!kernel.ok)(`the corpus agrees with the running kernel${because}`, () => {
  const expectations = readExpectations(readFileSync(new URL("expectations.json", CORPUS), "utf8"));
  for (const [name, wanted] of expectations) {
    test(name, (context) => {
      const needsBtf = [...wanted.values()].some(({ needs }) => needs === "kernel BTF");
      if (needsBtf && targetBtf === undefined) context.skip("the kernel does not tell its types");
      for (const version of VERSIONS) {
        const object = read(name, version);
        expect(object.failures).toEqual([]);
        expect(object.programs.map((program) => program.name).toSorted()).toEqual(
          [...wanted.keys()].toSorted(),
        );
        for (const program of object.programs) {
          const expected = wanted.get(program.name);
          if (expected === undefined) continue;
          if (expected.verdict === "accept") checkAccepted(program, object, expected);
          else checkRejected(program, expected);
          programs++;
        }
      }
    });
  }

  afterAll(() => console.log(`${programs} programs of the corpus held against the kernel, ${runs} runs`));
});
