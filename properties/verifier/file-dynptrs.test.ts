/** Dynptrs of files, which Linux 7.3 has and 6.18 has not. The verdicts and words are a guest's, of the same programs. */
import { describe, expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { kernelTypes } from "../../src/object/kernel-types.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { checkCertificate } from "../../src/verifier/check-certificate.ts";
import { explain } from "../../src/verifier/explain/explain.ts";
import { verify } from "../../src/verifier/verify.ts";

const types = kernelAvailable().ok ? objectOptionsFor().targetBtf : undefined;

/** r6 is the file that is opened; the dynptr lies at fp-16. */
const PARTS: Readonly<Record<string, string>> = {
  file: "r6 = *(u64 *)(r1 +0)",
  own: "call 158\nr1 = r0\ncall bpf_get_task_exe_file\nif r0 == 0 goto out\nr6 = r0",
  make: "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -16\ncall bpf_dynptr_from_file",
  at: "r1 = r10\nr1 += -16",
  discard: "r1 = r10\nr1 += -16\ncall bpf_dynptr_file_discard",
  put: "r1 = r6\ncall bpf_put_file",
  clone: "r1 = r10\nr1 += -16\nr2 = r10\nr2 += -32\ncall bpf_dynptr_clone",
  slice: "r1 = r10\nr1 += -16\nr2 = 0\nr3 = r10\nr3 += -40\nr4 = 8\ncall bpf_dynptr_slice\nr7 = r0",
  out: "out:\nr0 = 0\nexit",
};

/** @param lines  assembly, in which `{…}` stands for a part */
function fileProgram(lines: string): string {
  const asm = lines
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => PARTS[name] ?? "")
    .split("\n")
    .filter((line) => line !== "");
  const kfuncs = [...new Set(asm.flatMap((line) => /^call (bpf_\w+)$/.exec(line)?.[1] ?? []))];
  const kind = { type: "lsm", attach: "lsm_mac", target: "file_open", license: "GPL" };
  return JSON.stringify({ name: "file", ...kind, asm, kfuncs });
}

describe.skipIf(types === undefined)("dynptrs of files", () => {
  const rules = {
    profile: readProfile("linux-7.3"),
    ...(types === undefined ? {} : { types: kernelTypes(types) }),
  };
  test.each([
    ["made and given back", "{file}\n{make}\n{discard}\n{out}", "accept"],
    ["its size asked for", "{file}\n{make}\n{at}\ncall bpf_dynptr_size\n{discard}\n{out}", "accept"],
    ["not given back", "{file}\n{make}\n{out}", "EINVAL Unreleased reference id=1 alloc_insn=5"],
    [
      "not given back where making it failed",
      "{file}\n{make}\nif w0 != 0 goto out\n{discard}\n{out}",
      "EINVAL Unreleased reference id=1 alloc_insn=5",
    ],
    [
      "given back twice",
      "{file}\n{make}\n{discard}\n{discard}\n{out}",
      "EINVAL Expected an initialized dynptr as R1",
    ],
    [
      "used after it was given back",
      "{file}\n{make}\n{discard}\n{at}\ncall bpf_dynptr_size\n{out}",
      "EINVAL Expected an initialized dynptr as R1",
    ],
    [
      "overwritten",
      "{file}\n{make}\n*(u64 *)(r10 -16) = 0\n{out}",
      "EINVAL cannot overwrite referenced dynptr",
    ],
    ["copied, the first given back", "{file}\n{make}\n{clone}\n{discard}\n{out}", "accept"],
    [
      "copied, and used after the copy was given back",
      "{file}\n{make}\n{clone}\nr1 = r10\nr1 += -32\ncall bpf_dynptr_file_discard\n{at}\ncall bpf_dynptr_size\n{out}",
      "EINVAL Expected an initialized dynptr as R1",
    ],
    [
      "a slice read",
      "{file}\n{make}\n{slice}\nif r7 == 0 goto no\nr7 = *(u8 *)(r7 +7)\nno:\n{discard}\n{out}",
      "accept",
    ],
    [
      "a slice read past its end",
      "{file}\n{make}\n{slice}\nif r7 == 0 goto no\nr7 = *(u8 *)(r7 +8)\nno:\n{discard}\n{out}",
      "EACCES invalid access to memory, mem_size=8 off=8 size=1\nR7 min value is outside of the allowed memory range",
    ],
    [
      "a slice read after it was given back",
      "{file}\n{make}\n{slice}\n{discard}\nif r7 == 0 goto out\nr7 = *(u8 *)(r7 +7)\n{out}",
      "EACCES R7 invalid mem access 'scalar'",
    ],
    ["of a file that is held", "{own}\n{make}\n{discard}\n{put}\n{out}", "accept"],
    [
      "of a file that is given back before it",
      "{own}\n{make}\n{put}\n{discard}\n{out}",
      "EINVAL Leaking reference id=3 alloc_insn=9. Release it first.",
    ],
    ["of no file", "r6 = 0\n{make}\n{discard}\n{out}", "EACCES Possibly NULL pointer passed to trusted R1"],
    [
      "given back as another's memory",
      "r1 = 0\n{discard}\n{out}",
      "EINVAL Expected an initialized dynptr as R1",
    ],
  ])("%s", (_, asm, expected) => {
    const { program } = readBundle(fileProgram(asm));
    const verdict = verify(program, undefined, rules);
    if (verdict.verdict === "accept") {
      expect(checkCertificate(program, verdict.certificate, undefined, rules)).toMatchObject({ ok: true });
    }
    const [said] = verdict.verdict === "reject" ? [`${verdict.errno} ${verdict.message}`] : [verdict.verdict];
    expect(said?.split("\nBPF_EXIT")[0]).toBe(expected);
    if (verdict.verdict === "reject") expect(explain(program, verdict, rules)).toBeDefined();
  });
});
