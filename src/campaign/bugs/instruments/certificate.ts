/** The checker of certificates, that of the version under test and that of the sound one. */
import type { checkCertificate } from "../../../verifier/check-certificate.ts";
import { gaveUp, isUnconfirmed } from "./containment.ts";
import { CHECKER_LIMIT, searching, verifyShort } from "./search.ts";

/** The version's own checker, which `verify` asks before it accepts: it finds what the exploration alone does wrong. */
export const ownChecker = searching(() => (program) => {
  try {
    verifyShort(program);
    return undefined;
  } catch (error) {
    if (isUnconfirmed(error)) return gaveUp(error.message) ? undefined : error.message;
    throw error;
  }
});

/** A checker that does not share the bug: a second implementation would be one. It gets each certificate of an accepted program. */
export const secondChecker = searching(async ({ sound: { code, ending } }) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same module of another copy
  const other = (await import(`${code}verifier/check-certificate${ending}`)) as {
    readonly checkCertificate: typeof checkCertificate;
  };
  return (program) => {
    try {
      const verdict = verifyShort(program);
      if (verdict.verdict !== "accept") return undefined;
      const check = other.checkCertificate(program, verdict.certificate, CHECKER_LIMIT);
      return check.ok || gaveUp(check.reason) ? undefined : `node ${check.node}: ${check.reason}`;
    } catch (error) {
      if (isUnconfirmed(error)) return undefined;
      throw error;
    }
  };
});
