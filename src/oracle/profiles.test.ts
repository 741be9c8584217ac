/** The profiles that come with the package. Expected: what linux/bpf.h has said of all of these versions. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultProfile } from "../semantics/profile/default.ts";
import { contextFor, fieldAt, helperFacts } from "../semantics/profile/lookup.ts";
import { parseProfile } from "../semantics/profile/schema.ts";
import { profileText } from "../semantics/profile/text.ts";
import { profileNames, profileOfRelease, readProfile } from "./profiles.ts";

describe("the profiles", () => {
  it("are there, and the newest is the default", () => {
    expect(profileNames()).toContain("linux-6.18");
    expect(readProfile(profileNames().at(-1) ?? "")).toEqual(defaultProfile());
  });

  it.each(profileNames().map((name) => [name]))("%s: has a profile's form, and is written in it", (name) => {
    const text = readFileSync(`profiles/${name}.json`, "utf8");
    const read = readProfile(name);
    expect(parseProfile(JSON.parse(text))).toEqual(read);
    expect(profileText(read)).toBe(text);
  });

  it.each(profileNames().map((name) => [name]))("%s: what all kernels have in common", (name) => {
    const profile = readProfile(name);
    expect(name).toBe(`linux-${profile.kernel}`);
    expect(helperFacts(profile, 1)).toMatchObject({ name: "map_lookup_elem" });
    const [prototype] = helperFacts(profile, 1)?.prototypes ?? [];
    expect(prototype).toMatchObject({
      args: [{ kind: "const_map_ptr" }, { kind: "map_key" }],
      returns: { kind: "map_value", flags: ["ptr_maybe_null"] },
    });
    expect(helperFacts(profile, 12)?.maps).toEqual(["prog_array"]);
    expect(helperFacts(profile, 44)?.changesPacket).toBe(true);
    const xdp = contextFor(profile, { type: "xdp", flags: [] });
    expect(xdp === undefined ? undefined : fieldAt(xdp, "read", 4, 4)).toMatchObject({ value: "packet_end" });
    expect(profile.limits).toMatchObject({ insns: 1_000_000, stack: 512, processed: 1_000_000 });
    expect(profile.programs["cgroup_skb"]?.returns).toEqual([0, 1]);
    expect(profile.programs["xdp"]?.packet).toBe("write");
  });

  it.each(profileNames().map((name) => [name]))("%s: no helper has the function of another", (name) => {
    const { helpers } = readProfile(name);
    const names = new Set(helpers.map((helper) => helper.name));
    const strange = helpers.flatMap((helper) =>
      helper.prototypes
        .map(({ func }) => func.replace(/^bpf_/, ""))
        .filter((func) => func !== helper.name && names.has(func))
        .map((func) => `${helper.name}: ${func}`),
    );
    expect(strange).toEqual([]);
  });

  it("are found by name and by version", () => {
    expect(readProfile("6.18")).toBe(readProfile("linux-6.18"));
    expect(() => readProfile("linux-9.9")).toThrow(
      /^there is no profile linux-9\.9: .*linux-6\.18.*, or a file$/,
    );
  });

  it("stand for the kernels after them", () => {
    expect(profileOfRelease("6.18.44").kernel).toBe("6.18");
    expect(profileOfRelease("6.19.0-rc1").kernel).toBe("6.18");
    expect(profileOfRelease("999.0").kernel).toBe(defaultProfile().kernel);
    expect(profileOfRelease("3.10").kernel).toBe(readProfile(profileNames()[0] ?? "").kernel);
  });

  it("in a file that is none are refused in one line that names it", () => {
    const folder = mkdtempSync(join(tmpdir(), "profile-"));
    const file = join(folder, "bad.json");
    writeFileSync(file, '{"kernel": 6}');
    expect(() => readProfile(file)).toThrow(/^\/.*bad\.json: not a profile: kernel: .*$/);
    writeFileSync(file, "{");
    expect(() => readProfile(file)).toThrow(/^\/.*bad\.json: line 1, column 2: /);
    expect(() => readProfile(folder)).toThrow(/^\/.*profile-\w+: /);
    rmSync(folder, { recursive: true });
  });
});
