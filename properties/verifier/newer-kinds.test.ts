/** Kinds of programs, maps and attachments that Linux 7.3 has and 6.18 has not. The verdicts and words are a guest's, of programs of the same shapes. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { kernelTypes } from "../../src/object/kernel-types.ts";
import { sectionMeaning } from "../../src/object/sections.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { checkCertificate } from "../../src/verifier/check-certificate.ts";
import { verify } from "../../src/verifier/verify.ts";

const types = kernelAvailable().ok ? objectOptionsFor().targetBtf : undefined;
const rules = {
  profile: readProfile("linux-7.3"),
  ...(types === undefined ? {} : { types: kernelTypes(types) }),
};

/** @param section  as a compiler's output names it */
function verdictOf(section: string, lines: string, maps: readonly object[] = []): string {
  const meaning = sectionMeaning(section);
  const asm = lines.split("\n");
  const kfuncs = [...new Set(asm.flatMap((line) => /^call (bpf_\w+)$/.exec(line)?.[1] ?? []))];
  const { program } = readBundle(
    JSON.stringify({ name: "p", license: "GPL", ...meaning, asm, kfuncs, maps }),
  );
  const verdict = verify(program, undefined, rules);
  if (verdict.verdict === "accept") {
    expect(checkCertificate(program, verdict.certificate, undefined, rules)).toMatchObject({ ok: true });
  }
  switch (verdict.verdict) {
    case "accept":
      return "accept";
    case "reject":
      return `${verdict.errno} ${verdict.message}`;
    case "unsupported":
      return `unsupported: ${verdict.feature}`;
  }
}

const END = "r0 = 0\nexit";

describe.skipIf(types === undefined)("programs at both ends of a function", () => {
  const COOKIE = "call bpf_session_cookie";
  test.each([
    ["the arguments", `r1 = *(u64 *)(r1 +0)\n${END}`, "accept"],
    ["whether it returns", `call bpf_session_is_return\n${END}`, "accept"],
    ["the cookie", `${COOKIE}\n*(u64 *)(r0 +0) = 3\n${END}`, "accept"],
    [
      "past the cookie",
      `${COOKIE}\n*(u64 *)(r0 +8) = 3\n${END}`,
      "EACCES invalid access to memory, mem_size=8 off=8 size=8\nR0 min value is outside of the allowed memory range",
    ],
    [
      "a result",
      "r0 = 1\nexit",
      "EINVAL At program exit the register R0 has smin=1 smax=1 should have been in [0, 0]",
    ],
  ])("%s", (_, asm, expected) => {
    expect(verdictOf("fsession/bpf_modify_return_test", asm)).toBe(expected);
  });
});

test.each([
  ["raw_tp.s/sys_enter", "accept"],
  ["tp.s/syscalls/sys_enter_open", "accept"],
  ["tp_btf.s/sys_enter", "unsupported: sleepable programs for tracepoint sys_enter"],
  [
    "tp_btf.s/sched_switch",
    "EINVAL Sleepable program cannot attach to non-faultable tracepoint sched_switch",
  ],
])("tracepoints that may sleep: %s", (section, expected) => {
  expect(verdictOf(section, END)).toBe(expected);
});

describe("hash tables that grow", () => {
  const map = { name: "m", type: "rhash", key_size: 4, value_size: 8, max_entries: 8, flags: 1 };
  const look = "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[0]\ncall 1";
  test.each([
    ["looked up", `${look}\nif r0 == 0 goto out\n*(u64 *)(r0 +0) = 1\nout:\n${END}`, "accept"],
    [
      "looked up and not compared",
      `${look}\n*(u64 *)(r0 +0) = 1\n${END}`,
      "EACCES R0 invalid mem access 'map_value_or_null'",
    ],
  ])("%s", (_, asm, expected) => {
    expect(verdictOf("xdp", asm, [map])).toBe(expected);
  });
});

test.each([
  ["callback-for-each-key-as-a-helper-s-key", "accept"],
  ["callback-for-each-key-pointer-moved-past-the-key", "reject"],
])("each element of one: %s", (file, expected) => {
  const model = readFileSync(new URL(`../../corpus/verifier/${file}.prog.json`, import.meta.url), "utf8");
  const { program } = readBundle(model);
  const maps = program.maps.map((map) => ({ ...map, type: "rhash" as const, flags: 1 }));
  expect(verify({ ...program, maps }, undefined, rules).verdict).toBe(expected);
});

describe.skipIf(types === undefined)("storage of inodes", () => {
  const storage = (type: string): object => ({
    name: "m",
    type,
    key_size: 4,
    value_size: 8,
    max_entries: 0,
    flags: 1,
  });
  const asm =
    "r2 = *(u64 *)(r1 +0)\nr1 = map[0]\nr3 = 0\nr4 = 1\ncall 145\nif r0 == 0 goto out\n*(u64 *)(r0 +0) = 1\nout:";
  test.each([
    ["inode_storage", "accept"],
    ["task_storage", "EINVAL cannot pass map_type 29 into func bpf_inode_storage_get#145"],
  ])("%s", (type, expected) => {
    expect(verdictOf("lsm/inode_unlink", `${asm}\n${END}`, [storage(type)])).toBe(expected);
  });
});

describe("what is there where an object of the kernel is wanted", () => {
  test.each([
    ["bpf_task_acquire", "", "EINVAL R1 is ctx expected STRUCT task_struct"],
    ["bpf_task_acquire", "r1 = r10", "EINVAL R1 is fp expected STRUCT task_struct"],
    ["bpf_map_sum_elem_count", "r1 = r10", "EINVAL R1 is fp expected STRUCT bpf_map or map_ptr"],
  ])("%s: %s", (name, change, expected) => {
    const lines = [change, `call ${name}`, END].filter((line) => line !== "");
    expect(verdictOf("tc", lines.join("\n"))).toBe(expected);
  });
});
