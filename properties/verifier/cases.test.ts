/**
 * The verifier's cases: one small program each, with the verdict and the message that Linux 6.18 gave. Ours are the same, or the
 * difference is one of corpus/differences.json. Every accept is certified, and the running kernel, if there is one, still says
 * what the case says. Cases of the kernel's variables were confirmed on a kernel that keeps their addresses, Linux 7.3.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readKnowledge } from "../../src/campaign/expectations.ts";
import { readBundle } from "../../src/object/bundle.ts";
import { kernelTypes } from "../../src/object/kernel-types.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { checkCertificate } from "../../src/verifier/check-certificate.ts";
import { verify } from "../../src/verifier/verify.ts";

const corpus = new URL("../../corpus/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, corpus), "utf8");
const { differences } = readKnowledge(read("expectations.json"), read("differences.json"));
const kernel = kernelAvailable();
const types = kernel.ok ? objectOptionsFor().targetBtf : undefined;
/** Those of the kernel that the cases were confirmed on; its types are the running kernel's. */
const rules = {
  profile: readProfile("linux-6.18"),
  ...(types === undefined ? {} : { types: kernelTypes(types) }),
};
const cases = readdirSync(new URL("verifier/", corpus))
  .filter((name) => name.endsWith(".prog.json"))
  .map((name) => ({ name, ...readBundle(read(`verifier/${name}`)) }));

describe("our verdict on each case is the kernel's, or a known difference", () => {
  test.each(cases)("$program.name", ({ program, expect: expected }) => {
    const verdict = verify(program, undefined, rules);
    const noTypes =
      verdict.verdict === "unsupported" && verdict.feature.endsWith("without the kernel's types");
    if (types === undefined && noTypes) return;
    const known = differences.find((d) => d.program === program.name);
    expect(verdict.verdict).toBe(known?.ours ?? expected?.verdict);
    if (verdict.verdict === "accept") {
      expect(checkCertificate(program, verdict.certificate, undefined, rules)).toMatchObject({ ok: true });
    }
    if (verdict.verdict === "reject" && known === undefined) {
      expect(verdict.message).toContain(expected?.message);
    }
  });
});

/** Whether those without capabilities may load programs at all: a setting that can be changed unless it is 1. */
const SETTING = "/proc/sys/kernel/unprivileged_bpf_disabled";
const setting = kernel.ok ? readFileSync(SETTING, "utf8").trim() : "";
const forAll = setting === "0" || setting === "2";
const asked = cases.filter(
  ({ program: { privileges } }) => privileges === undefined || privileges.includes("cap_bpf") || forAll,
);

describe.skipIf(!kernel.ok)(
  `the running kernel still says so${kernel.ok ? "" : ` (skipped: ${kernel.reason})`}`,
  () => {
    beforeAll(() => {
      if (setting === "2") writeFileSync(SETTING, "0");
    });
    afterAll(() => {
      if (setting === "2") writeFileSync(SETTING, setting);
    });
    test.each(asked)("$program.name", ({ program, expect: expected }) => {
      const result = loadProgram(program);
      if (result.verdict === "accept") result.close();
      // Not every kernel keeps the addresses of its variables (CONFIG_KALLSYMS_ALL).
      if (result.verdict === "reject" && result.log.includes("failed to find the address for kernel symbol"))
        return;
      expect(result.verdict).toBe(expected?.verdict);
      if (result.verdict === "reject") expect(result.log).toContain(expected?.message);
    });
  },
);
