import { describe, expect, test } from "vitest";
import type { CheckedVerdict } from "../check-report.ts";
import { isUnexplained, type Place, relationOf } from "./relation.ts";

const accept: CheckedVerdict = { verdict: "accept", ms: 1 };
const reject = (errno: string, message: string): CheckedVerdict => ({
  verdict: "reject",
  errno,
  message,
  ms: 1,
});
const place: Place = { program: "p", file: undefined, known: [] };

describe("how two verdicts stand to each other", () => {
  const unbounded = reject("EACCES", "R1 unbounded memory access, make sure to bounds check any such access");
  const cases = [
    ["same", accept, accept],
    ["we accept", accept, unbounded],
    ["we reject", unbounded, accept],
    ["same", unbounded, reject("EACCES", "R7 min value is negative, either use unsigned index")],
    ["message", unbounded, reject("EACCES", "R1 !read_ok")],
    ["errno", unbounded, reject("EINVAL", "R1 unbounded memory access")],
  ] as const;
  test.each(cases)("%s", (kind, ours, theirs) => {
    const relation = relationOf(ours, theirs, place);
    expect(relation).toEqual({ kind });
    expect(isUnexplained(relation)).toBe(kind !== "same");
  });

  test("what is not modelled is named, and nothing else is looked at", () => {
    const ours: CheckedVerdict = { verdict: "unsupported", message: "map type arena", ms: 1 };
    for (const theirs of [accept, unbounded]) {
      expect(relationOf(ours, theirs, place)).toEqual({ kind: "unsupported", reason: "map type arena" });
    }
  });

  test("what could not be loaded is no agreement, whatever we say", () => {
    for (const ours of [accept, unbounded]) {
      expect(relationOf(ours, { incomparable: "no such hook" }, place)).toEqual({
        kind: "not comparable",
        reason: "no such hook",
      });
    }
  });
});

describe("differences that are explained", () => {
  const known = [
    { program: "p", ours: "accept", kernel: "reject", reason: "of the corpus" },
    { program: "p", file: "tools/trace", ours: "accept", kernel: "reject", reason: "of a tool" },
  ] as const;
  const kernels = reject("EACCES", "R1 !read_ok");
  const reason = (where: Partial<Place>, ours = accept, theirs = kernels): string | undefined =>
    relationOf(ours, theirs, { ...place, known, ...where }).reason;

  test("of the corpus by name, of other files by name and path", () => {
    expect(reason({})).toBe("of the corpus");
    expect(reason({ file: "/usr/tools/trace@200" })).toBe("of a tool");
    expect(reason({ file: "/usr/tools/other" })).toBeUndefined();
    expect(reason({ program: "q" })).toBeUndefined();
  });

  test("only for the verdicts that the entry names", () => {
    expect(reason({}, kernels, accept)).toBeUndefined();
  });
});
