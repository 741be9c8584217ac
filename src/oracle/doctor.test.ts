/** Expected: what the same machine says in other ways (uname(2), a directory made for the test). */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type DoctorFact, doctorFacts } from "./doctor.ts";
import { kernelAvailable } from "./linux/kernel.ts";

const directory = mkdtempSync(join(tmpdir(), "soundcheck-doctor-"));
afterAll(() => rmSync(directory, { recursive: true }));

const fact = (facts: readonly DoctorFact[], name: string): DoctorFact | undefined =>
  facts.find((f) => f.name === name);

describe("what a machine offers", () => {
  it("finds programs on the path that may be executed, and only those", () => {
    const clang = join(directory, "clang-19");
    writeFileSync(clang, "");
    writeFileSync(join(directory, "bpftool"), "");
    chmodSync(clang, 0o755);
    chmodSync(join(directory, "bpftool"), 0o644);
    const facts = doctorFacts({
      PATH: ["", join(directory, "nowhere"), directory].join(delimiter),
      XDG_CACHE_HOME: directory,
    });
    expect(fact(facts, "clang")).toEqual({ name: "clang", ok: true, detail: clang });
    expect(fact(facts, "bpftool")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^not on PATH/),
    });
    expect(fact(facts, "qemu")?.ok).toBe(false);
    expect(fact(facts, "guest kernels")).toEqual({
      name: "guest kernels",
      ok: false,
      detail: "none is here (soundcheck guest fetch linux-6.1)",
    });
  });

  it("names the kernel, and says why where it cannot be asked", () => {
    const facts = doctorFacts({});
    expect(fact(facts, "kernel")?.detail).toContain(release());
    const kernel = kernelAvailable();
    expect(fact(facts, "bpf(2)")).toEqual({
      name: "bpf(2)",
      ok: kernel.ok,
      detail: kernel.ok ? "loads programs" : kernel.reason,
    });
    for (const { detail } of facts) expect(detail).toMatch(/^[^\n]+$/);
  });
});
