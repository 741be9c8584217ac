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
