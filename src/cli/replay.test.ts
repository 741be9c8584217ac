/** Traces on the command line. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { directory, jsonLines, ROOT, soundcheck } from "./testing.ts";

const trace = (name: string): string => join(ROOT, "corpus", "traces", `${name}.jsonl`);

test("a trace on which the systems agree; a line that is no operation; what keeps an object", async () => {
  const cwd = directory();
  writeFileSync(
    join(cwd, "bad.jsonl"),
    '# two lines\n{"process":1,"do":"fork"}\n{"process":1,"do":"close"}\n',
  );
  const [same, bad, why, none] = await Promise.all([
    soundcheck(["replay", trace("pin-keeps-a-map"), "--json"], { cwd }),
    soundcheck(["replay", "bad.jsonl"], { cwd }),
    soundcheck(["objects", trace("program-keeps-its-map"), "--why", "map:1"], { cwd }),
    soundcheck(["objects", trace("program-keeps-its-map"), "--when-freed", "map:9"], { cwd }),
  ]);
  expect(same.status).toBe(0);
  expect(jsonLines(same)).toMatchObject([
    { line: 2, answers: { runtime: { result: 2 }, model: { result: 2 } } },
    ...Array.from({ length: 7 }, () => ({})),
    { verdict: "same" },
  ]);
  expect(bad.status).toBe(2);
  expect(bad.stderr).toContain("bad.jsonl:3: fd: ");
  expect(why.status).toBe(0);
  expect(why.stdout).toContain("process 1 --fd 1--> program 1 --uses--> map 1");
  expect(none.status).toBe(2);
});
