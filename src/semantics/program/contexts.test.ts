/** Expected: what Linux 6.18 answered to one small program for each offset, size and direction (profiles/, scripts/probe-kernel.ts). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Size } from "../isa/instruction.ts";
import { type ContextFieldKind, type ContextLayout, contextAccess, contextOf } from "./contexts.ts";
import { ATTACH_TYPES, PROGRAM_TYPES } from "./program-types.ts";

const access = z.record(z.string(), z.array(z.tuple([z.string(), z.number(), z.number()])));
const { contexts } = z
  .object({ contexts: z.record(z.string(), z.object({ read: access, write: access })) })
  .parse(JSON.parse(readFileSync("profiles/linux-6.18.json", "utf8")));

/** The kernel's words for what a field gives. */
const WORDS: Readonly<Record<ContextFieldKind, string>> = {
  scalar: "scalar",
  packet: "pkt",
  packet_end: "pkt_end",
  packet_meta: "pkt_meta",
  sock_common_or_null: "sock_common_or_null",
};

const SIZES: readonly Size[] = [1, 2, 4, 8];
/** Bytes past the end of a context where nothing may be accessed either. */
const BEYOND = 16;

function ours(layout: ContextLayout, direction: "read" | "write"): string[] {
  return SIZES.flatMap((size) =>
    Array.from({ length: layout.size + BEYOND }, (_, offset) => {
      const field = contextAccess(layout, direction, offset, size);
      if (field === undefined) return "";
      return `${size} at ${offset}: ${direction === "write" ? "scalar" : WORDS[field.kind]}`;
    }).filter((answer) => answer !== ""),
  );
}

function theirs(profile: z.infer<typeof access>): string[] {
  return SIZES.flatMap((size) =>
    (profile[size] ?? []).flatMap(([kind, first, last]) =>
      Array.from({ length: (last - first) / size + 1 }, (_, i) => `${size} at ${first + i * size}: ${kind}`),
    ),
  );
}

describe("context accesses are those that Linux permits", () => {
  const compared: string[] = [];
  for (const [name, profile] of Object.entries(contexts)) {
    const [typeName, attachName] = name.split("/");
    const type = PROGRAM_TYPES.find((known) => known === typeName);
    const attach = ATTACH_TYPES.find((known) => known === attachName);
    const layout = type === undefined ? undefined : contextOf(type, attach);
    if (layout === undefined) continue;
    compared.push(name);
    it(name, () => {
      expect(ours(layout, "read")).toEqual(theirs(profile.read));
      expect(ours(layout, "write")).toEqual(theirs(profile.write));
    });
  }

  it("for every layout that is modelled", () => {
    const modelled = PROGRAM_TYPES.filter((type) => contextOf(type) !== undefined);
    expect(modelled.length).toBeGreaterThan(0);
    expect(compared).toEqual(expect.arrayContaining(modelled));
  });
});
