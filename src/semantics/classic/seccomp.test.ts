/** Results of filters of system calls: linux/seccomp.h and seccomp(2). That the kernel agrees is in `properties/classic`. */
import { expect, test } from "vitest";
import { SECCOMP_ACTIONS, seccompAction, seccompData, strictest } from "./seccomp.ts";

test.each([
  [0x7fff_0000, "ALLOW", 0],
  [0x0005_0016, "ERRNO", 22],
  [0x0005_ffff, "ERRNO", 4095],
  [0x7ff0_0042, "TRACE", 0x42],
  [0x0000_0001, "KILL_THREAD", 1],
  [0x8000_0000, "KILL_PROCESS", 0],
  [0xffff_0000, "KILL_PROCESS", 0],
])("0x%s is %s", (value, name, data) => {
  expect(seccompAction(value)).toEqual({ name, data });
});

test("actions are listed from the strictest on", () => {
  for (const [index, { value }] of SECCOMP_ACTIONS.entries()) {
    for (const { value: other } of SECCOMP_ACTIONS.slice(index)) {
      expect(strictest([value, other])).toBe(value);
      expect(strictest([other, value])).toBe(value);
    }
  }
});

test("of equal actions the last filter's counts", () => {
  expect(strictest([0x0005_0001, 0x7fff_0000, 0x0005_0002])).toBe(0x0005_0002);
});

test("data: number, architecture, instruction pointer, arguments", () => {
  const data = seccompData({ nr: 59, arch: 0xc000_003e, instructionPointer: 0x1122n, args: [1n, -1n] });
  const words = new BigUint64Array(data.buffer);
  expect([...words]).toEqual([0xc000_003e_0000_003bn, 0x1122n, 1n, 0xffff_ffff_ffff_ffffn, 0n, 0n, 0n, 0n]);
});
