/** Formats and the texts that Linux 6.18 makes of them (bpf_snprintf); `properties/machine/tracing-kernel` draws more. */
import { describe, expect, it } from "vitest";
import { Unsupported } from "../../semantics/errors.ts";
import { ENOSPC } from "../errno.ts";
import type { PrintArguments } from "./arguments.ts";
import { formatText } from "./format.ts";

const TEXT = "hello world";

/** Numbers as they are; a text stands for its address. */
function given(...values: readonly (bigint | string)[]): PrintArguments {
  const at = (index: number): bigint | string => values[index] ?? 0n;
  return {
    count: values.length,
    value: (index) => BigInt.asUintN(64, BigInt(at(index))),
    string: (index, _, most) =>
      typeof at(index) === "string" ? String(at(index)).slice(0, most) : undefined,
    bytes: (index, size) =>
      typeof at(index) === "string"
        ? Uint8Array.from(Buffer.from(String(at(index)).padEnd(size, "\0"))).subarray(0, size)
        : undefined,
    hash: () => 0xce3a463d,
    symbol: (address) => `0x${address.toString(16)}`,
  };
}

const print = (format: string, ...values: readonly (bigint | string)[]): string | number =>
  formatText(format, given(...values), 1024);

describe("what is printed", () => {
  it.each<readonly [format: string, values: readonly (bigint | string)[], text: string]>([
    ["%5d|%-5d|%05d|%+d|% d", [-5n, -5n, -5n, 5n, 5n], "   -5|-5   |-0005|+5| 5"],
    ["%0 5d|%0+5d|%-+5d|%- 5d|", [5n, 5n, 5n, 5n], " 0005|+0005|+5   | 5   |"],
    [
      "%x|%X|%08x|%-8x|%lx",
      [-1n, -1n, 255n, 255n, -1n],
      "ffffffff|FFFFFFFF|000000ff|ff      |ffffffffffffffff",
    ],
    ["%20s|%-20s|%3s", [TEXT, TEXT, TEXT], "         hello world|hello world         |hello world"],
    ["%30pks|%s|%5s|", [TEXT, 0n, 0n], "hello world||     |"],
    ["%p|%px|%pK", [5n, 5n, 0n], "00000000ce3a463d|0000000000000005|0000000000000000"],
    [
      "%20p|%-20px|%020px|%5px",
      [5n, 5n, 5n, 5n],
      "            ce3a463d|5                   |00000000000000000005|    5",
    ],
    ["%p %p", [-1n, -4095n], "ffffffffffffffff fffffffffffff001"],
    ["%20ps|%-5pS|%20pB|", [5n, 5n, 5n], "                 0x5|0x5  |0x5|"],
    ["%pi4|%20pI4|%pI4", [TEXT, TEXT, 0n], "104.101.108.108|104.101.108.108|0.0.0.0"],
    ["%pI6", [TEXT], "6865:6c6c:6f20:776f:726c:6400:0000:0000"],
    ["%c|%5c|%-5c|%05c|", [65n, 65n, 65n, 65n], "A|    A|A    |    A|"],
    ["%px4x|%pKxx%d", [5n, 5n, 6n], "0000000000000005|00000000ce3a463d6"],
    ["%%|%d%%", [3n], "%|3%"],
    ["%4294967297d|", [5n], "5|"],
    ["\x80%d", [5n], "\x805"],
  ])("%j", (format, values, text) => {
    expect(print(format, ...values)).toBe(text);
  });

  it.each([
    "%",
    "%5",
    "%l",
    "%hd",
    "%q",
    "%ls",
    "%.5s",
    "%*d",
    "%#x",
    "%p%",
    "%pp",
    "%pI5",
    "%sx",
    "%p\x80",
    "\x07",
    "\x7f",
    "%d%d",
  ])("%j is refused", (format) => {
    expect(print(format, 5n)).toBe(-22);
  });
});

describe("the room for arguments", () => {
  const long = "a".repeat(63);
  const eight = Array.from({ length: 8 }, () => long);

  it("is 512 bytes", () => {
    expect(print("%s".repeat(8), ...eight)).toBe(long.repeat(8));
    expect(print(`${"%s".repeat(8)}%d`, ...eight, 5n)).toBe(ENOSPC);
  });

  it("cuts off a network address, and takes no more", () => {
    const seven = eight.slice(1);
    const address = "6161:6161:6161:6161:6161:6161:6161:6161";
    const shown = `${long.repeat(7)}${address}6161:6161:6161:6161:616`;
    expect(print(`${"%s".repeat(7)}%pI6%pI6`, ...seven, long, long)).toBe(shown);
  });

  it("is read on wrongly where there is no room for the text of a pointer", () => {
    // %d finds "104.", the beginning of the address that was not taken.
    expect(formatText("ab%pI4|%d|", given(TEXT, 7n), 0)).toHaveLength(13);
    expect(formatText("ab%pI4|%d|", given(TEXT, 7n), 3)).toBe("ab104.101.108.108|7|");
    expect(() => formatText("%pks%d", given("", 7n), 0)).toThrow(Unsupported);
  });
});
