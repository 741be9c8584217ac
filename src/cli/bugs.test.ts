/** `bugs`: lists them, finds some, and stays silent without one. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { directory, jsonLines, soundcheck } from "./testing.ts";

describe("bugs", () => {
  test("lists the bugs", async () => {
    const { status, stdout } = await soundcheck(["bugs", "--list", "--bug", "L"]);
    expect(status).toBe(0);
    expect(stdout).toContain("swap-keeps-the-link");
    expect(stdout).toMatch(/\n\d+ bugs\. Classes: T transfer functions;/);
  });

  test("a name of nothing is told in one line", async () => {
    const { status, stderr } = await soundcheck(["bugs", "--bug", "none"]);
    expect(status).toBe(2);
    expect(stderr).toBe("soundcheck: no bug is called none; soundcheck bugs --list lists them\n");
  });

  test("finds a bug, keeps what came out, and the sound version is silent", async () => {
    const results = join(directory(), "score.ndjson");
    const args = ["bugs", "--bug", "closed-twice", "--seeds", "1", "--seconds", "3"];
    const search = ["--instrument", "model", "--json", "--results", results];
    const first = await soundcheck([...args, ...search]);
    expect(jsonLines(first)).toMatchObject([
      { id: "closed-twice", cells: [{ instrument: "model", trials: 1, found: 1 }] },
      { id: "sound", cells: [{ instrument: "model", trials: 1, found: 0 }] },
    ]);
    expect(first.status).toBe(0);
    const second = await soundcheck([...args, ...search]);
    expect(jsonLines(second)).toEqual(jsonLines(first));
  });
});
