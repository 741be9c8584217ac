/** Neither verifier nor machine break an invariant of their own: an assertion that fails is a finding, whatever the program is. */
import { isUnconfirmed } from "./certificate.ts";
import type { Oracle } from "./oracle.ts";

export const crash: Oracle = {
  name: "crash",
  judge: ({ broken }) =>
    broken === undefined || isUnconfirmed(broken) ? [] : [{ oracle: "crash", message: broken.message }],
};
