import { describe, expect, test } from "vitest";
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import { encode } from "../../semantics/isa/codec.ts";
import { helperCall, idsOf } from "../../semantics/profile/lookup.ts";
import type { Capability } from "../../semantics/program/privileges.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { readProfile } from "../profiles.ts";
import { kernelAvailable } from "./kernel.ts";
import { loadRaw } from "./load.ts";
import { THIS_MACHINE } from "./this-machine.ts";

const kernel = kernelAvailable();
const profile = readProfile("linux-6.18");
const is618 = kernel.ok && THIS_MACHINE.release.startsWith(`${profile.kernel}.`);

const verdict = (type: ProgramType, privileges: readonly Capability[], asm: readonly string[]): string => {
  const result = loadRaw({ type, privileges, insns: encode(assemble(asm)) });
  if (result.verdict === "reject") return result.log === "" ? result.errno : result.log;
  result.close();
  return "accept";
};

describe.skipIf(!is618)("the running kernel with fewer capabilities", () => {
  test("is asked with those, and with all afterwards", () => {
    const asm = ["r0 = 2", "exit"];
    expect(verdict("xdp", ["cap_bpf"], asm)).toBe("EPERM");
    expect(verdict("xdp", ["cap_bpf", "cap_net_admin"], asm)).toBe("accept");
    expect(verdict("kprobe", ["cap_bpf", "cap_net_admin"], asm)).toBe("EPERM");
    const result = loadRaw({ type: "kprobe", insns: encode(assemble(asm)) });
    expect(result.verdict).toBe("accept");
    if (result.verdict === "accept") result.close();
  });

  test.each<ProgramType>(["sched_cls", "sk_lookup"])(
    "without cap_perfmon %s has the helpers that the profile says",
    (type) => {
      const without = new Set(idsOf(profile.capabilities?.perfmon ?? ""));
      const facts = Object.values(profile.programs).find((each) => each.type === type);
      const attach = facts?.attach;
      expect(facts).toBeDefined();
      if (facts === undefined) return;
      const found = HELPER_NAMES.flatMap((_, id) => {
        const call = helperCall(profile, facts, id);
        if (call === undefined || call.permission === "forbidden") return [];
        const result = loadRaw({
          type,
          ...(attach === undefined ? {} : { attach }),
          privileges: ["cap_bpf", "cap_net_admin"],
          insns: encode(assemble([`call ${id}`, "exit"])),
        });
        if (result.verdict === "accept") result.close();
        const lacks = result.verdict === "reject" && result.log.includes("cannot use helper");
        return lacks === without.has(id) ? [] : [id];
      });
      expect(found).toEqual([]);
    },
  );
});
