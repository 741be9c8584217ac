/**
 * Claim: the checker refuses the filters that the running kernel refuses with EINVAL (SO_ATTACH_FILTER), and no others: every code, operands around
 * their limits, and random filters. What the kernel refuses besides, with ENOMEM, is a matter of the socket's memory. Skipped where sockets take no filters.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generator } from "../../src/campaign/random.ts";
import { FilterSocket } from "../../src/oracle/linux/filter-socket.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { checkFilter } from "../../src/semantics/classic/check.ts";
import { encodeFilter } from "../../src/semantics/classic/codec.ts";
import type { ClassicInstruction, Filter } from "../../src/semantics/classic/instruction.ts";
import { CLASSIC_ROWS } from "../../src/semantics/classic/table.ts";
import { EFFORT } from "../scalar/settings.ts";
import { carelessFilter } from "./careless.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const insn = (code: number, k = 0): ClassicInstruction => ({ code, jt: 0, jf: 0, k });
const RETURN = insn(0x06, 1);

/** Around the limits of shifts, scratch words, jumps, seccomp's data and extensions. */
const OPERANDS = [
  1, 15, 16, 31, 32, 62, 64, 0xffff_efff, 0xffff_f000, 0xffff_f03c, 0xffff_f03d, 0xffff_f040, 0xffff_ffff,
];

describe.skipIf(!kernel.ok)("the kernel's checker", () => {
  let socket: FilterSocket;
  beforeAll(() => {
    socket = new FilterSocket(THIS_MACHINE, "unix");
  });
  afterAll(() => socket.close());

  const same = (filter: Filter): boolean => {
    const ours = checkFilter(filter, "socket");
    const theirs = socket.attach(encodeFilter(filter));
    expect({ filter, ours, errno: theirs }).toEqual({
      filter,
      ours,
      errno: ours === undefined ? undefined : "EINVAL",
    });
    return ours === undefined;
  };

  test("every code of 16 bits", () => {
    const codes = Array.from({ length: 0x1_0000 }, (_, code) => code);
    const ours = codes.filter((code) => checkFilter([insn(code), RETURN], "socket") === undefined);
    const theirs = codes.filter((code) => socket.attach(encodeFilter([insn(code), RETURN])) === undefined);
    expect(ours).toEqual(theirs);
    // All but two divisions by the constant 0 and two loads of words that are not set.
    expect(ours.length).toBe(CLASSIC_ROWS.length - 4);
  });

  test("operands around their limits", () => {
    for (let code = 0; code < 256; code++) {
      for (const k of OPERANDS) same([insn(0x02, 15), insn(code, k), RETURN]);
    }
  });

  test.each([1, 4095])("a filter of %i instructions", (length) => {
    expect(same(Array.from({ length }, () => RETURN))).toBe(true);
  });

  test.each([0, 4097])("no filter of %i instructions", (length) => {
    expect(same(Array.from({ length }, () => RETURN))).toBe(false);
  });

  test("random filters", () => {
    const random = generator(11);
    let taken = 0;
    for (let i = 0; i < 5000 * EFFORT; i++) if (same(carelessFilter(random, "socket"))) taken += 1;
    expect(taken).toBeGreaterThan(1000 * EFFORT);
    expect(taken).toBeLessThan(4000 * EFFORT);
  });
});
