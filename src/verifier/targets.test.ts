/**
 * Hooks of Linux 7.3 by what a guest said of programs that return 0, 1, 2, -1, -4095 and -4096 in each of them: most take 0 and errors, some 0 and 1, those
 * without a result anything, and some are closed.
 */
import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "./verify.ts";

/** The newest kernel's. */
const profile = defaultProfile();

const RESULTS = [0, 1, 2, -1, -4095, -4096];

const program = (attach: "lsm_mac" | "lsm_cgroup", target: string, result: number): Program => ({
  name: target,
  type: "lsm",
  attach,
  target,
  license: "GPL",
  flags: [],
  insns: assemble(`r0 = ${result}\nexit`),
  maps: [],
  lines: [],
  functions: [],
});

/** Which results are accepted: a letter for each. */
const accepted = (attach: "lsm_mac" | "lsm_cgroup", target: string): string =>
  RESULTS.map((result) =>
    verify(program(attach, target, result), undefined, { profile }).verdict === "accept" ? "y" : "n",
  ).join("");

test.each([
  ["lsm_mac", "file_open", "ynnyyn"],
  ["lsm_mac", "bprm_committed_creds", "yyyyyy"],
  ["lsm_mac", "inode_xattr_skipcap", "yynnnn"],
  ["lsm_cgroup", "file_open", "yynnnn"],
  ["lsm_cgroup", "bprm_committed_creds", "nynnnn"],
] as const)("%s %s", (attach, target, expected) => {
  expect(accepted(attach, target)).toBe(expected);
});

/** What a guest said of results whose upper half is not that of an int: hooks of security modules give one, control groups' programs a number of 64 bits. */
test.each([
  ["lsm_mac", "file_open", "yynn"],
  ["lsm_mac", "inode_xattr_skipcap", "nyyn"],
  ["lsm_cgroup", "file_open", "nnnn"],
] as const)("%s %s, the upper half of its result", (attach, target, expected) => {
  const results = [
    "w0 = -1",
    "r0 = 1\nr0 <<= 32",
    "r0 = 1\nr0 <<= 32\nr0 |= 1",
    "r0 = 5\nr0 <<= 32\nr0 |= 2",
  ];
  const verdicts = results.map((asm) => {
    const insns = assemble(`${asm}\nexit`);
    return verify({ ...program(attach, target, 0), insns }, undefined, { profile }).verdict;
  });
  expect(verdicts.map((verdict) => (verdict === "accept" ? "y" : "n")).join("")).toBe(expected);
});

test("a hook that is closed", () => {
  expect(verify(program("lsm_mac", "getprocattr", 0), undefined, { profile })).toMatchObject({
    verdict: "reject",
    errno: "EINVAL",
    message: "points to disabled hook bpf_lsm_getprocattr",
  });
});

test("a hook of which the kernel was not asked", () => {
  expect(verify(program("lsm_mac", "file_opened_by_nobody", 0), undefined, { profile })).toMatchObject({
    verdict: "unsupported",
    feature: "lsm programs for file_opened_by_nobody, of which Linux 7.3 was not asked",
  });
});

const tracing = (attach: "trace_fentry" | "modify_return", target: string, sleepable = false): Program => ({
  ...program("lsm_mac", target, 0),
  type: "tracing",
  attach,
  flags: sleepable ? ["sleepable"] : [],
});

test.each([
  ["an open one", tracing("trace_fentry", "vfs_read"), undefined, ""],
  [
    "in the types alone",
    tracing("trace_fentry", "blk_account_io_done"),
    "ENOENT",
    "The address of function blk_account_io_done cannot be found",
  ],
  [
    "closed to all",
    tracing("trace_fentry", "migrate_disable"),
    "EINVAL",
    "Attaching tracing programs to function 'migrate_disable' is rejected.",
  ],
  ["a result that may be replaced", tracing("modify_return", "security_file_open"), undefined, ""],
  ["one that may not", tracing("modify_return", "vfs_read"), "EINVAL", "vfs_read() is not modifiable"],
  ["a system call, asleep", tracing("trace_fentry", "__x64_sys_connect", true), undefined, ""],
  ["another, asleep", tracing("trace_fentry", "vfs_read", true), "EINVAL", "vfs_read is not sleepable"],
  ["a hook, asleep", { ...program("lsm_mac", "file_open", 0), flags: ["sleepable"] as const }, undefined, ""],
  [
    "a hook where nobody sleeps",
    { ...program("lsm_mac", "file_free_security", 0), flags: ["sleepable"] as const },
    "EINVAL",
    "bpf_lsm_file_free_security is not sleepable",
  ],
] as const)("functions of the kernel: %s", (_, given, errno, message) => {
  const verdict = verify(given, undefined, { profile });
  if (errno === undefined) expect(verdict).toMatchObject({ verdict: "accept" });
  else expect(verdict).toMatchObject({ verdict: "reject", errno, message });
});
