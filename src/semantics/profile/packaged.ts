/** The package's own profiles. */
import type { Profile } from "./profile.ts";

/** What every profile has; the others may be absent. */
const PARTS: readonly (keyof Profile)[] = [
  "kernel",
  "limits",
  "allows",
  "words",
  "programs",
  "contexts",
  "helpers",
  "callers",
  "kfuncs",
  "maps",
  "attachTypes",
];

/**
 * Whether JSON is a profile, where it can be none but one of the package's: of these only the parts' names are looked at. A test checks each of them
 * by the schema, as files that users name are whenever they are read; to do that at each start would take longer than most programs' verification.
 */
export function isPackaged(value: unknown): value is Profile {
  return typeof value === "object" && value !== null && PARTS.every((part) => part in value);
}
