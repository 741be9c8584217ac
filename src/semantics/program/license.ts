/** The licenses that the kernel takes as compatible with the GPL (include/linux/license.h; Documentation/process/license-rules.rst). */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
]);

/** Whether a program of the license may call what is for GPL-compatible programs only. */
export function isGplCompatible(license: string): boolean {
  return GPL_COMPATIBLE.has(license);
}
