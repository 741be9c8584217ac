/** A profile as text: JSON with one fact a line, in a stable order, so that two kernels' profiles compare line by line. */
import type { Profile } from "./profile.ts";

/** Depth below which a value stands on one line, by the profile's part. */
const DEPTH: Readonly<Record<string, number>> = {
  contexts: 3,
  functions: 1,
  targets: 3,
  programs: 2,
  callbacks: 2,
  helpers: 1,
  callers: 1,
  kfuncs: 1,
  maps: 1,
  attachTypes: 1,
};

export function profileText(profile: Profile): string {
  const parts = Object.entries(profile).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${render(value, "  ", DEPTH[name] ?? 0)}`,
  );
  return `{\n${parts.join(",\n")}\n}\n`;
}

/** @param depth how many levels are spread over lines */
function render(value: unknown, indent: string, depth: number): string {
  if (depth === 0 || typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const rows = Array.isArray(value)
    ? value.map((each: unknown) => inner + render(each, inner, depth - 1))
    : Object.entries(value).map(
        ([key, each]) => `${inner}${JSON.stringify(key)}: ${render(each, inner, depth - 1)}`,
      );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return rows.length === 0 ? `${open}${close}` : `${open}\n${rows.join(",\n")}\n${indent}${close}`;
}
