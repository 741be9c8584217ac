/** What kernels under test are called: `linux-6.1` is the newest guest of that version, `linux-6.19.10` the one of that release, `linux` the running kernel. */
import { InputError } from "../../semantics/errors.ts";

/** The running kernel's name. */
export const RUNNING = "linux";
const GUEST = /^linux-\d+\.\d+(\.\d[\w.-]*)?$/;

/** 601 for `6.1.0-50-cloud-amd64`. */
export function versionOf(release: string): number {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return 100 * Number(major) + Number(minor);
}

/** @throws InputError  for a name of no kernel that can be tested */
export function checkKernelName(name: string): void {
  if (name === RUNNING || GUEST.test(name)) return;
  throw new InputError(`there is no kernel ${name} to test: it must be ${RUNNING}, linux-X.Y or linux-X.Y.Z`);
}
