/**
 * The profile of the newest kernel that was probed, whose rules hold where no other is asked for. It is part of the package, as code is, and
 * stands beside the others in `profiles/`.
 */
import { createRequire } from "node:module";
import type { Profile } from "./profile.ts";
import { parseProfile } from "./schema.ts";

const require = createRequire(import.meta.url);

let known: Profile | undefined;

/** Read when it is first asked for. */
export function defaultProfile(): Profile {
  known ??= parseProfile(require("../../../profiles/linux-7.3.json"));
  return known;
}
