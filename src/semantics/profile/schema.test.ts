import { describe, expect, it } from "vitest";
import { defaultProfile } from "./default.ts";
import { parseProfile } from "./schema.ts";
import { profileText } from "./text.ts";

const profile = defaultProfile();
/** A copy that may be spoilt. */
const copy = (): Record<string, unknown> => JSON.parse(profileText(profile));

describe("a profile", () => {
  it("is the same after it was written and read", () => {
    expect(parseProfile(JSON.parse(profileText(profile)))).toEqual(profile);
  });

  it("is written one fact a line", () => {
    const lines = profileText(profile).split("\n");
    const helper = lines.filter((line) => line.includes('"name":"map_lookup_elem"'));
    expect(helper).toHaveLength(1);
    expect(JSON.parse(helper[0]?.trim().replace(/,$/, "") ?? "")).toMatchObject({ id: 1 });
  });

  it.each([
    ["a text", "profile", /^not a profile: .*expected object/],
    ["nothing of it", {}, /^not a profile: kernel: /],
    ["an unknown key", { ...copy(), colour: "red" }, /^not a profile: .*colour/],
    ["a version that is none", { ...copy(), kernel: "six" }, /^not a profile: kernel: expected a version/],
    ["an unknown map type", { ...copy(), maps: [{ type: "drawer" }] }, /^not a profile: maps\.0\.type: /],
    [
      "a context that is not there",
      { ...copy(), contexts: {} },
      /^not a profile: programs\.socket_filter: there is no context socket_filter$/,
    ],
  ])("with %s is refused in one line", (_, value, message) => {
    expect(() => parseProfile(value)).toThrow(message);
    expect(() => parseProfile(value)).not.toThrow(/\n/);
  });
});
