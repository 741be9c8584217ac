/** The status screen fits the terminal that it is on, whatever its size. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { statsAt } from "../campaign/dashboard/testing.ts";
import { screenLines } from "./fuzz-screen.ts";

const facts = { version: "1.2.3", directory: "c", stopping: false };
const plain = (_: unknown, text: string): string => text;

const screen = (columns: number, rows: number): readonly string[] =>
  screenLines(statsAt(60), [], facts, { columns, rows }, plain);

test("no line is longer and there are no more of them than there is room for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 300 }), fc.integer({ min: 3, max: 100 }), (columns, rows) => {
      const lines = screen(columns, rows);
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(columns);
    }),
  );
});

test("boxes stand side by side, with even edges, or one above the other", () => {
  const wide = screen(100, 50);
  expect(wide[1]).toMatch(/^┌─ time ─+┐┌─ findings ─+┐$/);
  expect(new Set(wide.slice(1, 7).map((line) => line.length))).toEqual(new Set([100]));
  expect(wide.join("\n")).toContain("accepted : 4 200 (70.0 %)");
  expect(screen(60, 50)[1]).toMatch(/^┌─ time ─+┐$/);
});

test("what a message holds does not reach the terminal as it is", () => {
  const stats = statsAt(1, { reasons: { "\u001b[2J": 1 } });
  expect(screenLines(stats, [], facts, { columns: 100, rows: 60 }, plain).join("")).toContain("\\x1b[2J");
});
