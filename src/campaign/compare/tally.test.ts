import { expect, test } from "vitest";
import type { Program } from "../../semantics/program/program.ts";
import type { Comparison } from "./compare.ts";
import type { Relation } from "./relation.ts";
import { byWeight, grouped, tally, unsupportedFeatures } from "./tally.ts";

const program: Program = {
  name: "p",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: [],
  maps: [],
  lines: [],
  functions: [],
};

/** A comparison in which only the relation, and what we say, matters. */
function one(kind: Relation["kind"], reason?: string): Comparison {
  const unsupported = kind === "unsupported";
  return {
    file: `${kind}.o`,
    program,
    kernel: { name: "k", release: "6.18.0" },
    ours: unsupported
      ? { verdict: "unsupported", message: reason ?? "", ms: 0 }
      : { verdict: "accept", ms: 0 },
    theirs: { verdict: "accept", ms: 0 },
    relation: { kind, ...(reason === undefined ? {} : { reason }) },
  };
}

const all: readonly Comparison[] = [
  one("same"),
  one("same"),
  one("message"),
  one("we reject", "known"),
  one("we accept"),
  one("unsupported", "map counts: timer in the value"),
  one("unsupported", "map sizes: timer in the value"),
  one("unsupported", "map type arena"),
  one("not comparable", "no such hook"),
];

test("agreement is of verdicts, and of those that both gave", () => {
  const { counts, unexplained, programs, compared, agreed } = tally(all);
  expect({ programs, compared, agreed }).toEqual({ programs: 9, compared: 5, agreed: 3 });
  expect(counts).toEqual({
    "we accept": 1,
    "we reject": 1,
    unsupported: 3,
    errno: 0,
    message: 1,
    same: 2,
    "not comparable": 1,
  });
  expect(unexplained).toMatchObject({ "we accept": 1, "we reject": 0, message: 1, same: 0 });
});

test("features are counted whatever the maps are called, the one that blocks most first", () => {
  expect(unsupportedFeatures(all)).toEqual([
    { feature: "map with timer in the value", programs: 2 },
    { feature: "map type arena", programs: 1 },
  ]);
});

test("groups by size, then by name", () => {
  const names = [...grouped(all, ({ relation }) => relation.kind).keys()];
  expect(names).toEqual(["unsupported", "same", "message", "not comparable", "we accept", "we reject"]);
});

test("what nobody explains comes first, an accept of what the other rejects before all", () => {
  const order = byWeight(all).map(({ relation }) => relation.kind);
  expect(order.slice(0, 3)).toEqual(["we accept", "message", "we reject"]);
  expect(order.at(-1)).toBe("not comparable");
});
