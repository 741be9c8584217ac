/**
 * The profile of the newest kernel that was probed, whose rules hold where no other is asked for. It is part of the package, as code is, and
 * stands beside the others in `profiles/`.
 */
import { createRequire } from "node:module";
import { isPackaged } from "./packaged.ts";
import type { Profile } from "./profile.ts";

const require = createRequire(import.meta.url);

let known: Profile | undefined;

/** Read when it is first asked for. */
export function defaultProfile(): Profile {
  known ??= newest();
  return known;
}

function newest(): Profile {
  const value: unknown = require("../../../profiles/linux-7.3.json");
  if (!isPackaged(value)) throw new Error("the newest profile of the package is none");
  return value;
}
