/**
 * Claim: the codec is exactly as strict as the running kernel. What it refuses, the kernel refuses in a program that is accepted
 * otherwise; what it takes, the kernel does not refuse for its encoding. One exception: Linux ignores the `off` of `exit`, which RFC 9669
 * (section 3, unused fields are cleared to zero) does not allow.
 */
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadRaw } from "../../src/oracle/linux/load.ts";
import { createMap } from "../../src/oracle/linux/maps.ts";
import { decode, encode, isWide } from "../../src/semantics/isa/codec.ts";
import type { Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import type { Slots } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import { randomWords } from "./operands.ts";
import { hasEffect, rowProgram } from "./row-program.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/isa/encoding-kernel skipped: ${kernel.reason}`);

/** An accepted program with the row in it; `undefined` for rows that need BTF, an arena or an array of descriptors to be accepted. */
function acceptable(row: Row): { type: ProgramType; slots: Slots; at: number } | undefined {
  const find = (type: ProgramType, slots: Slots): { type: ProgramType; slots: Slots; at: number } => ({
    type,
    slots,
    at: slots.findLastIndex((i) => i?.row === row),
  });
  const end = [insn("mov64_imm"), insn("exit")];
  const socketFilter = (...body: Parameters<typeof layOut>[0]) => find("socket_filter", layOut(body));
  const { operation } = row;
  if (hasEffect(row)) {
    const slots = rowProgram(row, 1);
    // The surroundings use some rows too; the one under test stands where the program tells taken jumps apart.
    return { type: "xdp", slots, at: slots.findIndex((i) => i?.row.name === "mov64_imm" && i.imm === 1) + 1 };
  }
  switch (operation.kind) {
    case "packet":
      return socketFilter(
        insn("mov64_reg", { dst: 6, src: 1 }),
        insn("mov64_imm", { dst: 7 }),
        insn(row.name, { src: operation.mode === "ind" ? 7 : 0 }),
        insn("exit"),
      );
    case "goto":
    case "may_goto":
      return socketFilter(insn(row.name), ...end);
    case "exit":
      return socketFilter(...end);
    case "call":
      if (operation.callee === "kfunc") return undefined;
      return operation.callee === "helper"
        ? socketFilter(insn(row.name, { imm: 7 }), ...end)
        : socketFilter(insn(row.name, { imm: 1 }), insn("exit"), ...end);
    case "ld_imm64":
      return ["const", "map_fd", "map_value"].includes(operation.load)
        ? socketFilter(insn(row.name, { dst: 1 }), ...end)
        : undefined;
    default:
      return undefined;
  }
}

function decodes(bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** One field changed at a time, to values that mean something in another row and to others. */
function* changes(slot: Uint8Array): Generator<readonly [what: string, Uint8Array]> {
  const change = (what: string, edit: (view: DataView) => void): readonly [string, Uint8Array] => {
    const copy = slot.slice();
    edit(new DataView(copy.buffer));
    return [what, copy];
  };
  for (let nibble = 1; nibble < 16; nibble++) {
    yield change(`dst_reg ${nibble}`, (v) => v.setUint8(1, (v.getUint8(1) & 0xf0) | nibble));
    yield change(`src_reg ${nibble}`, (v) => v.setUint8(1, (v.getUint8(1) & 0x0f) | (nibble << 4)));
  }
  for (const off of [1, 2, 8, 16, 32, 64, 0x100, -1, -32768]) {
    yield change(`off ${off}`, (v) => v.setInt16(2, off, true));
  }
  for (const imm of [1, 2, 16, 32, 64, 0x40, 0x41, 0xe0, 0xf0, 0x100, 0x110, 0x111, 1 << 16, -1]) {
    yield change(`imm ${imm}`, (v) => v.setInt32(4, imm, true));
  }
}

/** Kernel messages that blame the encoding rather than what it means. */
const ENCODING =
  /reserved|unknown opcode|unrecognized bpf_ld_imm64|invalid bpf_ld_imm64|opcode .* not|R1[1-5] is invalid/i;

describe.skipIf(!kernel.ok)(`the codec is as strict as the kernel${because}`, () => {
  const map = kernel.ok
    ? createMap({ name: "m", type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 })
    : undefined;
  const maps = map === undefined ? [] : [map];
  const load = (type: ProgramType, insns: Uint8Array): { accepted: boolean; log: string } => {
    const loaded = loadRaw({ type, insns, maps }, { logLevel: 1 });
    if (loaded.verdict === "accept") loaded.close();
    return { accepted: loaded.verdict === "accept", log: loaded.log };
  };

  test.each(ROWS.filter((row) => acceptable(row) !== undefined).map((row) => [row.name, row] as const))(
    "%s: what is refused here is refused there",
    (_, row) => {
      const program = acceptable(row);
      if (program === undefined) throw new Error(row.name);
      const { type, slots, at } = program;
      const bytes = encode(slots);
      const whole = load(type, bytes);
      expect(whole.accepted, whole.log).toBe(true);
      let refused = 0;
      for (const half of isWide(row) ? [0, 1] : [0]) {
        const from = 8 * (at + half);
        for (const [what, slot] of changes(bytes.slice(from, from + 8))) {
          const changed = bytes.slice();
          changed.set(slot, from);
          if (decodes(changed) || (row.name === "exit" && what.startsWith("off"))) continue;
          refused += 1;
          expect(load(type, changed).accepted, `${row.name}, slot ${half}, ${what}`).toBe(false);
        }
      }
      expect(refused).toBeGreaterThan(0);
    },
  );

  test.each(ROWS.map((row) => [row.name, row] as const))(
    "%s: what is taken here is not refused there for its encoding",
    (_, row) => {
      const random = randomWords(3n);
      for (let i = 0; i < 20; i++) {
        const values = {
          dst: Number(random() % 11n),
          src: Number(random() % 11n),
          off: Number(BigInt.asIntN(16, random() >> (random() % 16n))),
          imm: Number(BigInt.asIntN(32, random() >> (random() % 32n))),
          immHigh: Number(BigInt.asIntN(32, random())),
        };
        const bytes = encode(layOut([insn(row.name, values), insn("mov64_imm"), insn("exit")]));
        expect(load("socket_filter", bytes).log).not.toMatch(ENCODING);
      }
    },
  );

  test("opcodes that no row has", () => {
    const known = new Set(ROWS.map((row) => row.opcode));
    for (let opcode = 0; opcode < 256; opcode++) {
      if (known.has(opcode)) continue;
      const bytes = encode(
        layOut([insn("mov64_imm", { dst: 2 }), insn("goto"), insn("mov64_imm"), insn("exit")]),
      );
      bytes[8] = opcode;
      expect(load("socket_filter", bytes).accepted, `opcode ${opcode}`).toBe(false);
    }
    map?.close();
  });
});
