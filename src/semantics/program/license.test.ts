/** Expected: include/linux/license.h. */
import { expect, it } from "vitest";
import { isGplCompatible } from "./license.ts";

it("takes the kernel's licenses as GPL-compatible", () => {
  expect(isGplCompatible("Dual BSD/GPL")).toBe(true);
  expect(isGplCompatible("GPL v3")).toBe(false);
  expect(isGplCompatible("Proprietary")).toBe(false);
});
