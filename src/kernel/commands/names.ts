/** Names of objects, as the attribute holds them: letters, digits, `_` and `.`, and a NUL before the field ends. */
import { EINVAL } from "../../vm/errno.ts";

const ALLOWED = /^[A-Za-z0-9_.]*$/;

/** The name in a field's bytes, or -EINVAL for one that the kernel does not take. What follows the NUL plays no part. */
export function objectName(bytes: Uint8Array): string | number {
  const end = bytes.indexOf(0);
  if (end === -1) return EINVAL;
  const name = String.fromCharCode(...bytes.subarray(0, end));
  return ALLOWED.test(name) ? name : EINVAL;
}
