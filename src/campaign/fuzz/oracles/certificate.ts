/** What is accepted has a certificate that the checker confirms: `verify` asks the checker itself, and throws where it says no. */
import type { Oracle } from "./oracle.ts";

const NOT_CONFIRMED = "the certificate is not confirmed";

/** Whether what was thrown is the checker's no. */
export const isUnconfirmed = (error: Error): boolean => error.message.startsWith(NOT_CONFIRMED);

export const certificate: Oracle = {
  name: "certificate",
  judge: ({ broken }) =>
    broken !== undefined && isUnconfirmed(broken) ? [{ oracle: "certificate", message: broken.message }] : [],
};
