import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { embeddedObjects, isBigEndianObject } from "./embedded.ts";

const bytes = (file: string): Uint8Array => readFileSync(new URL(`testdata/${file}`, import.meta.url));

test("an object is found in itself", () => {
  const object = bytes("everything.el.o");
  expect(embeddedObjects(object)).toEqual([{ offset: 0, bytes: object }]);
});

test("objects of either byte order inside other bytes, at any place", () => {
  const [little, big] = [bytes("everything.el.o"), bytes("everything.eb.o")];
  const before = new Uint8Array(101).fill(0x7f);
  const found = embeddedObjects(Buffer.concat([before, little, Buffer.from("\x7fELF"), big, before]));
  expect(found.map(({ offset }) => offset)).toEqual([101, 101 + little.length + 4]);
  expect(found.map((object) => Buffer.compare(object.bytes, object.offset === 101 ? little : big))).toEqual([
    0, 0,
  ]);
  expect(found.map((object) => isBigEndianObject(object.bytes))).toEqual([false, true]);
});

test("what is cut off, or an executable, is none", () => {
  const object = bytes("everything.el.o");
  expect(embeddedObjects(object.subarray(0, object.length - 1))).toEqual([]);
  expect(embeddedObjects(object.subarray(0, 30))).toEqual([]);
  expect(embeddedObjects(new Uint8Array(0))).toEqual([]);
  expect(embeddedObjects(readFileSync(process.execPath).subarray(0, 1 << 16))).toEqual([]);
});
