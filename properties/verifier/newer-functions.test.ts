/**
 * Kernel functions that Linux 7.3 has and 6.18 has not: on lists, and of timers; and those that are gone from there. The verdicts are a guest's, of programs of the same shapes.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { checkCertificate } from "../../src/verifier/check-certificate.ts";
import { verify } from "../../src/verifier/verify.ts";

const rules = { profile: readProfile("linux-7.3") };

/** A case of the corpus with other instructions: `{…}` stands for a part that is given by its name. */
function verdictOf(model: string, lines: string): string {
  const file = new URL(`../../corpus/verifier/${model}.prog.json`, import.meta.url);
  const bundle: Record<string, unknown> = JSON.parse(readFileSync(file, "utf8"));
  const asm = lines
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => PARTS[name] ?? "")
    .split("\n")
    .filter((line) => line !== "");
  const kfuncs = [...new Set(asm.flatMap((line) => /^call (bpf_\w+)$/.exec(line)?.[1] ?? []))];
  const { program } = readBundle(JSON.stringify({ ...bundle, asm, kfuncs, expect: undefined }));
  const verdict = verify(program, undefined, rules);
  if (verdict.verdict === "accept") {
    expect(checkCertificate(program, verdict.certificate, undefined, rules)).toMatchObject({ ok: true });
  }
  return verdict.verdict === "reject" ? `${verdict.errno} ${verdict.message}` : verdict.verdict;
}

/** r9 is the map's value, whose list begins at 8; r6 an object of the program's own, with its links at 8. */
const PARTS: Readonly<Record<string, string>> = {
  value: "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[0]\ncall 1\nif r0 == 0 goto out\nr9 = r0",
  own: "r1 = 51\ncall bpf_obj_new\nif r0 == 0 goto out\nr6 = r0",
  drop: "r1 = r6\ncall bpf_obj_drop",
  lock: "r1 = r9\ncall 93",
  unlock: "r1 = r9\ncall 94",
  list: "r1 = r9\nr1 += 8",
  first: "r1 = r9\nr1 += 8\ncall bpf_list_front\nr7 = r0",
  out: "out:\nr0 = 0\nexit",
};

describe("lists", () => {
  test.each([
    ["is empty", "{value}\n{lock}\n{list}\ncall bpf_list_empty\n{unlock}\n{out}", "accept"],
    [
      "is empty, without the lock",
      "{value}\n{list}\ncall bpf_list_empty\n{out}",
      "EINVAL bpf_spin_lock at off=0 must be held for bpf_list_head",
    ],
    [
      "an object is the first",
      "{value}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r7\ncall bpf_list_is_first\nno:\n{unlock}\n{out}",
      "accept",
    ],
    [
      "an object that may be null is the last",
      "{value}\n{lock}\n{first}\n{list}\nr2 = r7\ncall bpf_list_is_last\n{unlock}\n{out}",
      "EACCES Possibly NULL pointer passed to trusted R2",
    ],
    [
      "an object is taken out and given back",
      "{value}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r7\ncall bpf_list_del\nr6 = r0\n{unlock}\nif r6 == 0 goto out\nr6 += -8\n{drop}\ngoto out\nno:\n{unlock}\n{out}",
      "accept",
    ],
    [
      "an object is put behind the first",
      "{value}\n{own}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r6\nr2 += 8\nr3 = r7\ncall bpf_list_add\n{unlock}\ngoto out\nno:\n{unlock}\n{drop}\n{out}",
      "accept",
    ],
    [
      "an object is put behind the first and dropped",
      "{value}\n{own}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r6\nr2 += 8\nr3 = r7\ncall bpf_list_add\nno:\n{unlock}\n{drop}\n{out}",
      "EINVAL R1 must be referenced or trusted",
    ],
    [
      "one that the program does not own is put behind itself",
      "{value}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r7\nr3 = r7\ncall bpf_list_add\nno:\n{unlock}\n{out}",
      "EINVAL R2 expected pointer to allocated object",
    ],
    [
      "an object is put behind a number",
      "{value}\n{own}\n{lock}\n{list}\nr2 = r6\nr2 += 8\nr3 = 5\ncall bpf_list_add\n{unlock}\n{out}",
      "EINVAL R3 expected pointer to allocated object",
    ],
  ])("%s", (_, asm, expected) => {
    expect(verdictOf("list-its-first-object", asm)).toBe(expected);
  });

  test("an object is taken out and kept", () => {
    const asm =
      "{value}\n{lock}\n{first}\nif r7 == 0 goto no\n{list}\nr2 = r7\ncall bpf_list_del\nno:\n{unlock}\n{out}";
    expect(verdictOf("list-its-first-object", asm)).toMatch(/reference leak$/);
  });
});

test.each([
  ["", "accept"],
  ["r1 += 8", "EINVAL off 16 doesn't point to 'struct bpf_timer' that is at 8"],
  ["r1 = r10", "EINVAL R1 doesn't point to a map value"],
  ["r1 = 0", "EACCES Possibly NULL pointer passed to trusted R1"],
])("a timer is cancelled without waiting for its function: %s", (change, expected) => {
  const asm = `{value}\nr1 = r9\nr1 += 8\n${change}\ncall bpf_timer_cancel_async\n{out}`;
  expect(verdictOf("timer-cancelled", asm)).toBe(expected);
});

describe("functions that Linux 7.3 knows under another name", () => {
  test("where a path leads to the call", () => {
    const asm = "r1 = 0\nr2 = 0\ncall bpf_wq_start\ncall bpf_wq_set_callback_impl\nr0 = 0\nexit";
    expect(verdictOf("list-its-first-object", asm)).toBe("EACCES Possibly NULL pointer passed to trusted R1");
    expect(verdictOf("list-its-first-object", "call bpf_wq_set_callback_impl\nr0 = 0\nexit")).toBe(
      "EINVAL cannot find address for kernel function bpf_wq_set_callback_impl",
    );
  });
});
