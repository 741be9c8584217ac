/** The options that say by whose rules a command verifies, put into effect before it reads a program. */
import { displayName, readBytes } from "./files.ts";
import { chooseLoader, chooseProfile, chooseTypes } from "./rules.ts";

export interface RuleOptions {
  /** A kernel's name, or a profile's file. */
  readonly profile?: string;
  /** A file with a kernel's types, as in /sys/kernel/btf/vmlinux. */
  readonly btf?: string;
  readonly unprivileged?: true;
}

/** @throws InputError of one line */
export async function chooseRules({ profile, btf, unprivileged }: RuleOptions): Promise<void> {
  chooseProfile(profile);
  chooseLoader(unprivileged);
  if (btf !== undefined) chooseTypes(displayName(btf), await readBytes(btf));
}
