/**
 * Our printer of abstract registers and slots, and the reader of the kernel's, undo each other: what ours prints is read as what it was.
 * The two were written apart, each from the kernel's log.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { reset } from "../../src/absint/arena.ts";
import {
  isConstant,
  KIND,
  setConstant,
  setId,
  setOff,
  setPointer,
  setRange,
  setUnknown,
} from "../../src/absint/register.ts";
import { synchronise } from "../../src/absint/scalar/operators.ts";
import { initialise, registerAt } from "../../src/absint/state.ts";
import { createMachine } from "../../src/absint/transfer/machine.ts";
import { constantBounds, type LogBounds, readRegister } from "../../src/oracle/linux/register-text.ts";
import { parseStateLog } from "../../src/oracle/linux/state-log.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { currentFrameText, registerText } from "../../src/verifier/print-state.ts";
import { logBounds } from "../scalar/kernel-bounds.ts";
import { number, read, scalarAround, shape, write } from "../scalar/scalars.ts";

const program: Program = {
  name: "nothing",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: [],
  maps: [],
  lines: [],
  functions: [],
};
reset();
const m = createMachine(program);
initialise(m.state);
const R2 = registerAt(m.state, 0, 2);

/** Puts a random scalar around x into R2. */
function place(x: bigint, form: Parameters<typeof scalarAround>[1]): void {
  setUnknown(R2);
  write(R2, scalarAround(x, form));
  if (form.synchronised) synchronise(R2);
}

/** What R2's text tells of its bounds: of a constant the number alone. */
function told(): LogBounds {
  const scalar = read(R2);
  return isConstant(R2) ? constantBounds(scalar.value) : logBounds(scalar);
}

describe("registers that are printed and read", () => {
  test.prop([number, shape, fc.nat(9)], { numRuns: 5000 })("numbers", (x, form, id) => {
    place(x, form);
    setId(R2, isConstant(R2) ? 0 : id);
    const register = readRegister(registerText(m, R2, 0));
    expect(register).toEqual({
      kind: "scalar",
      bounds: told(),
      id: isConstant(R2) ? 0 : id,
      delta: 0,
      precise: false,
    });
  });

  test.prop([number, shape, fc.integer({ min: -500, max: 500 }), fc.nat(60)], { numRuns: 2000 })(
    "packet pointers",
    (x, form, off, range) => {
      place(x, form);
      const scalar = read(R2);
      setPointer(R2, KIND.packet, 0);
      write(R2, scalar);
      setOff(R2, off);
      setRange(R2, range);
      fc.pre(scalar.mask !== 2n ** 64n - 1n || scalar.umax !== 2n ** 64n - 1n);
      expect(readRegister(registerText(m, R2, 0))).toMatchObject({
        kind: "pointer",
        type: "pkt",
        off,
        range,
        bounds: told(),
      });
    },
  );

  test("a frame", () => {
    setConstant(R2, 7, 0);
    const { paths } = parseStateLog(`0:${currentFrameText(m)}`);
    expect(Object.fromEntries(paths[0]!.state!.registers)).toMatchObject({
      1: { type: "ctx" },
      2: { kind: "scalar", bounds: { umax: 7n, umin: 7n } },
      10: { type: "fp", off: 0 },
    });
  });
});
