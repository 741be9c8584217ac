import { expect, test } from "vitest";
import { Path } from "./path.ts";

test("a path is what was pushed and not cut off", () => {
  const path = new Path();
  expect(path.last()).toBe(undefined);
  // More than there is room for at first.
  for (let pc = 0; pc < 5000; pc += 1) path.push(pc);
  expect(path.length).toBe(5000);
  expect(path.at(4321)).toBe(4321);
  path.cut(3);
  path.push(7);
  expect(path.last()).toBe(7);
  expect(path.from(1)).toEqual([1, 2, 7]);
  path.cut(9);
  expect(path.length).toBe(4);
});
