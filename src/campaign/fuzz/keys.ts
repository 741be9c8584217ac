/** What findings with the same cause have in common. */
import { causeOf } from "./cross-check.ts";
import type { Violation } from "./oracles/oracle.ts";

/** Tells causes apart: campaigns keep one finding of each. */
export const keyOf = ({ oracle, message, cause }: Violation): string =>
  `${oracle}: ${cause ?? causeOf(message)}`;
