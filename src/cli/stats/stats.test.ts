/** Figures, filters, sorting and comparison: expectations are those of the documented meaning of each (docs/statistics.md). */
import { expect, test } from "vitest";
import { filterAll, orderBy } from "./choose.ts";
import { type Entry, pairUp, selectorNamed, valueOf } from "./entry.ts";
import type { Figures } from "./figures.ts";
import { figuresFromCsv } from "./file.ts";
import { entriesToCsv, selectorsOf } from "./print.ts";

const figures = (
  file: string,
  program: string,
  insns: number,
  verdict: Figures["verdict"] = "accept",
): Figures => ({ file_name: file, prog_name: program, verdict, numbers: { total_insns: insns } });

const ROWS = [
  figures("xdp.o", "first", 200),
  figures("xdp.o", "second", 50, "reject"),
  figures("tc.o", "main", 1000),
];
const entries = ROWS.map((b): Entry => ({ b }));

const names = (found: readonly Entry[]): readonly string[] =>
  found.map(({ a, b }) => (b ?? a)?.prog_name ?? "");
const filtered = (...texts: readonly string[]): readonly string[] => names(entries.filter(filterAll(texts)));

test("a glob is either name, a pair both, an empty one any", () => {
  expect(filtered("xdp*")).toEqual(["first", "second"]);
  expect(filtered("sec?nd")).toEqual(["second"]);
  expect(filtered("xdp.o/f*")).toEqual(["first"]);
  expect(filtered("tc.o/")).toEqual(["main"]);
  expect(filtered("/main")).toEqual(["main"]);
  // A point is a point.
  expect(filtered("xdp?o/first")).toEqual(["first"]);
  expect(filtered("xdp.")).toEqual([]);
});

test("one of those that allow must hold, none of those that deny, all comparisons", () => {
  expect(filtered("first", "main")).toEqual(["first", "main"]);
  expect(filtered("!first")).toEqual(["second", "main"]);
  expect(filtered("xdp*", "!first")).toEqual(["second"]);
  expect(filtered("insns>50", "insns < 1000")).toEqual(["first"]);
  expect(filtered("insns>=50", "verdict=failure")).toEqual(["second"]);
  expect(filtered("verdict!=reject", "total_insns<>200")).toEqual(["main"]);
  // What was not measured compares with nothing.
  expect(filtered("duration<1")).toEqual([]);
});

test("what is no filter is refused", () => {
  expect(() => filterAll(["colour=1"])).toThrow("no column colour");
  expect(() => filterAll(["insns=many"])).toThrow("many is no number");
  expect(() => filterAll(["verdict=good"])).toThrow("no verdict good");
});

test("rows are sorted by columns, up or down", () => {
  const sorted = (text: string): readonly string[] => names([...entries].sort(orderBy(text)));
  expect(sorted("insns")).toEqual(["second", "first", "main"]);
  expect(sorted("insnsv")).toEqual(["main", "first", "second"]);
  expect(sorted("file,progv")).toEqual(["main", "second", "first"]);
  expect(sorted("prog^")).toEqual(["first", "main", "second"]);
  expect(() => orderBy("colour")).toThrow("no column colour");
});

test("a comparison pairs by file and program; a value has four variants", () => {
  const before = [figures("xdp.o", "first", 100, "reject"), figures("old.o", "gone", 1)];
  const paired = pairUp(before, ROWS);
  expect(names(paired)).toEqual(["first", "second", "main", "gone"]);
  const at = (name: string, i = 0): unknown => valueOf(paired[i] ?? {}, selectorNamed(name) ?? expect.fail());
  expect(["insns_a", "insns_b", "insns_diff", "insns_pct", "insns"].map((name) => at(name))).toEqual([
    100, 200, 100, 100, 200,
  ]);
  expect(at("verdict_diff")).toBe("mismatch");
  expect([at("insns_a", 1), at("insns_diff", 1), at("verdict_diff", 1)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(names(paired.filter(filterAll(["insns_pct>50%"])))).toEqual(["first"]);
  expect(names(paired.filter(filterAll(["verdict_diff=mismatch"])))).toEqual(["first"]);
});

test("programs of the same names pair in their order", () => {
  const twice = [figures("a.o", "p", 1), figures("a.o", "p", 2)];
  expect(pairUp(twice, twice).map(({ a, b }) => [a?.numbers.total_insns, b?.numbers.total_insns])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test("figures are written and read again", () => {
  const text = entriesToCsv(
    entries,
    selectorsOf(["file_name", "prog_name", "verdict", "total_insns"], false),
    false,
  );
  expect(text.split("\n")[0]).toBe("file_name,prog_name,verdict,total_insns");
  expect(figuresFromCsv(text)).toEqual(ROWS);
});

test("veristat's words and unknown columns are read", () => {
  const text = "file_name,prog_name,verdict,total_insns,jited_size\nx.o,p,failure,7,99\n";
  expect(figuresFromCsv(text)).toEqual([figures("x.o", "p", 7, "reject")]);
});

test("a broken file of figures is named with its record", () => {
  expect(() => figuresFromCsv("")).toThrow("no record of column names");
  expect(() => figuresFromCsv("prog_name\n")).toThrow("record 1: no column file_name");
  expect(() => figuresFromCsv("file_name,prog_name\na\n")).toThrow("record 2: 1 values for 2 columns");
  expect(() => figuresFromCsv("file,prog,verdict\na,b,good\n")).toThrow("record 2: no verdict good");
  expect(() => figuresFromCsv("file,prog,insns\na,b,x\n")).toThrow("record 2: insns is x");
});

test("a comparison as comma-separated values names the variants", () => {
  const text = entriesToCsv(
    pairUp([figures("xdp.o", "first", 100)], ROWS.slice(0, 1)),
    selectorsOf(["file_name", "verdict", "total_insns"], true),
    true,
  );
  expect(text).toBe(
    "file_name,verdict_a,verdict_b,verdict_diff,total_insns_a,total_insns_b,total_insns_diff,total_insns_pct\n" +
      "xdp.o,accept,accept,match,100,200,100,100\n",
  );
});
