/**
 * Claim: CO-RE relocations give the same instructions as libbpf's, for every kind of relocation. libbpf speaks through `bpftool -d prog load`,
 * which names each instruction that it patches, and with what.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readBtf } from "../../src/object/btf.ts";
import { readObject } from "../../src/object/programs.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { KERNEL_BTF } from "../../src/oracle/linux/object-options.ts";
import type { Program } from "../../src/semantics/program/program.ts";

const CORPUS = fileURLToPath(new URL("../../corpus/objects/", import.meta.url));

/** Loads in a mount namespace of its own, so that nothing stays pinned. */
function libbpf(object: string): string {
  const script = 'mount -t bpf bpf /sys/fs/bpf && bpftool -d prog load "$0" /sys/fs/bpf/object';
  const { stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-c", script, object], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return stdout + stderr;
}

function whyNot(): string | undefined {
  const kernel = kernelAvailable();
  if (!kernel.ok) return kernel.reason;
  if (!kernel.btf) return "the kernel does not tell its types";
  if (spawnSync("bpftool", ["version"]).status !== 0) return "there is no bpftool";
  return spawnSync("unshare", ["-m", "true"]).status === 0 ? undefined : "no private mount namespace";
}

const reason = whyNot();
if (reason !== undefined) console.log(`properties/object/core-libbpf skipped: ${reason}`);

const PATCHED = /relo #\d+: patched insn #(\d+) \((ALU\/ALU64|LDX\/ST\/STX|LDIMM64)\) \w+ \S+ -> (\S+)/;
const RESIZED = /relo #\d+: patched insn #(\d+) \(LDX\/ST\/STX\) mem_sz \d+ -> (\d+)/;
const POISONED = /relo #\d+: substituting insn #(\d+) w\/ invalid insn/;

const seen = { patched: 0, resized: 0, poisoned: 0 };

/** Holds one line of libbpf's against our instruction. */
function checkLine(line: string, program: Program): void {
  const poisoned = POISONED.exec(line);
  const resized = RESIZED.exec(line);
  const patched = resized === null ? PATCHED.exec(line) : null;
  const [, slot, first, second] = poisoned ?? resized ?? patched ?? [];
  if (slot === undefined) return;
  const insn = program.insns[Number(slot)];
  if (insn === undefined) throw new Error(`${program.name}: no instruction at ${slot}, for ${line}`);
  if (poisoned !== null) {
    expect({ row: insn.row.name, imm: insn.imm }, line).toEqual({ row: "call_helper", imm: 0xbad2310 });
    seen.poisoned++;
  } else if (resized !== null) {
    const { operation } = insn.row;
    expect("size" in operation ? operation.size : undefined, line).toBe(Number(first));
    seen.resized++;
  } else {
    const low = first === "LDX/ST/STX" ? insn.off : insn.imm;
    const held = first === "LDIMM64" ? (BigInt(insn.immHigh) << 32n) | BigInt(insn.imm >>> 0) : BigInt(low);
    expect(BigInt.asUintN(64, held), line).toBe(BigInt.asUintN(64, BigInt(second ?? 0)));
    seen.patched++;
  }
}

describe.skipIf(reason !== undefined)(
  `CO-RE as libbpf does it${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    for (const name of ["core_kinds", "core_process"]) {
      for (const version of [1, 2, 3, 4]) {
        test(`${name} v${version}`, () => {
          const file = `${CORPUS}${name}.v${version}.o`;
          const targetBtf = readBtf(readFileSync(KERNEL_BTF));
          const object = readObject(readFileSync(file), { targetBtf });
          expect(object.failures).toEqual([]);
          const before = seen.patched;
          for (const line of libbpf(file).split("\n")) {
            const program = object.programs.find((p) => line.includes(`prog '${p.name}':`));
            if (program !== undefined) checkLine(line, program);
          }
          expect(seen.patched).toBeGreaterThan(before);
        });
      }
    }

    afterAll(() => {
      expect(seen.poisoned).toBeGreaterThan(0);
      expect(seen.resized).toBeGreaterThan(0);
      console.log(`CO-RE against libbpf: ${JSON.stringify(seen)}`);
    });
  },
);
