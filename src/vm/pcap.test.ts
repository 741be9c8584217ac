/** Files are put together here by the formats' drafts (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). */
import { describe, expect, it } from "vitest";
import { InputError } from "../semantics/errors.ts";
import { isCapture, readCapture } from "./pcap.ts";

type Order = "little" | "big";

function u16(order: Order, ...values: readonly number[]): number[] {
  return values.flatMap((value) =>
    order === "little" ? [value & 255, value >> 8] : [value >> 8, value & 255],
  );
}

function u32(order: Order, ...values: readonly number[]): number[] {
  return values.flatMap((value) => {
    const halves = [value & 0xffff, value >>> 16];
    return u16(order, ...(order === "little" ? halves : halves.toReversed()));
  });
}

const FIRST = [1, 2, 3, 4, 5];
const SECOND = [6, 7];

function classic(order: Order, magic: number, link = 1): Uint8Array {
  return Uint8Array.from([
    ...u32(order, magic),
    ...u16(order, 2, 4),
    ...u32(order, 0, 0, 65535, link),
    ...u32(order, 100, 5, FIRST.length, 60),
    ...FIRST,
    ...u32(order, 101, 0, SECOND.length, SECOND.length),
    ...SECOND,
  ]);
}

function block(order: Order, type: number, body: readonly number[]): number[] {
  const padded = [...body, ...Array.from({ length: (4 - (body.length % 4)) % 4 }, () => 0)];
  const size = padded.length + 12;
  return [...u32(order, type, size), ...padded, ...u32(order, size)];
}

const section = (order: Order): number[] =>
  block(order, 0x0a0d0d0a, [
    ...u32(order, 0x1a2b3c4d),
    ...u16(order, 1, 0),
    ...u32(order, 0xffffffff, 0xffffffff),
  ]);
const ethernet = (order: Order, options: readonly number[] = []): number[] =>
  block(order, 1, [...u16(order, 1, 0), ...u32(order, 4), ...options]);
const nanoseconds = (order: Order): number[] => [...u16(order, 9, 1), 9, 0, 0, 0, ...u16(order, 0, 0)];
const enhanced = (order: Order, index: number, high: number, low: number): number[] =>
  block(order, 6, [...u32(order, index, high, low, FIRST.length, 60), ...FIRST]);

describe("classic pcap", () => {
  it.each(["little", "big"] as const)("%s-endian, microseconds", (order) => {
    const packets = readCapture(classic(order, 0xa1b2c3d4));
    expect(packets.map(({ bytes }) => [...bytes])).toEqual([FIRST, SECOND]);
    expect(packets.map(({ timeNs }) => timeNs)).toEqual([100_000_005_000n, 101_000_000_000n]);
    expect(packets.map(({ length }) => length)).toEqual([60, 2]);
  });

  it("nanoseconds", () => {
    expect(readCapture(classic("little", 0xa1b23c4d))[0]?.timeNs).toBe(100_000_000_005n);
  });

  it("a link that is not Ethernet", () => {
    expect(() => readCapture(classic("little", 0xa1b2c3d4, 101))).toThrow(
      new InputError("offset 0x14: link type 101, but only Ethernet (1) is read"),
    );
  });

  it("cut short anywhere: an error that names the offset, or fewer packets", () => {
    const whole = classic("big", 0xa1b2c3d4);
    const ends = [24, 24 + 16 + FIRST.length];
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      if (ends.includes(length)) expect(readCapture(cut)).toHaveLength(ends.indexOf(length));
      else expect(() => readCapture(cut), `${length} bytes`).toThrow(/^offset 0x[0-9a-f]+: /);
    }
  });

  it("a packet longer than the file", () => {
    const file = classic("little", 0xa1b2c3d4);
    file.fill(0xff, 32, 36);
    expect(() => readCapture(file)).toThrow(
      new InputError("offset 0x28: a packet of 4294967295 bytes, but the file has 23 more"),
    );
  });
});

describe("pcapng", () => {
  it.each(["little", "big"] as const)(
    "%s-endian: packets of two interfaces, with other blocks between",
    (order) => {
      const file = Uint8Array.from([
        ...section(order),
        ...ethernet(order),
        ...ethernet(order, nanoseconds(order)),
        ...block(order, 5, [0, 0, 0, 0]),
        ...enhanced(order, 0, 0, 7),
        ...enhanced(order, 1, 1, 7),
        ...block(order, 3, [...u32(order, 60), 9, 8, 7, 6]),
      ]);
      const packets = readCapture(file);
      expect(packets.map(({ bytes }) => [...bytes])).toEqual([FIRST, FIRST, [9, 8, 7, 6]]);
      expect(packets.map(({ timeNs }) => timeNs)).toEqual([7000n, 0x1_0000_0007n, undefined]);
      expect(packets.map(({ length }) => length)).toEqual([60, 60, 60]);
    },
  );

  it("sections of different byte order", () => {
    const sections = (["little", "big"] as const).map((order) => [
      ...section(order),
      ...ethernet(order),
      ...enhanced(order, 0, 0, 1),
    ]);
    expect(readCapture(Uint8Array.from(sections.flat()))).toHaveLength(2);
  });

  it.each([
    [
      "a packet of an interface that is not described",
      enhanced("little", 3, 0, 0),
      /interface 3, but 1 are described/,
    ],
    ["a length that is no multiple of 4", [...u32("little", 6, 13), ...FIRST], /a block of 13 bytes/],
    ["a length of 0", u32("little", 6, 0, 0), /a block of 0 bytes/],
    ["a block past the end", u32("little", 6, 4096, 0), /a block of 4096 bytes, but the file has 12 more/],
    ["two lengths", [...u32("little", 5, 16, 0, 20)], /began with 16/],
    ["a packet past its block", block("little", 6, u32("little", 0, 0, 0, 100, 100)), /past its block's end/],
  ])("%s", (_, last, message) => {
    const file = Uint8Array.from([...section("little"), ...ethernet("little"), ...last]);
    expect(() => readCapture(file)).toThrow(InputError);
    expect(() => readCapture(file)).toThrow(message);
  });
});

describe("other files", () => {
  it.each([[[]], [[1, 2, 3]], [[0x7f, 0x45, 0x4c, 0x46]]])("%j", (bytes) => {
    expect(isCapture(Uint8Array.from(bytes))).toBe(false);
    expect(() => readCapture(Uint8Array.from(bytes))).toThrow(InputError);
  });
});
