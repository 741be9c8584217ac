/** What a program is to go on showing while it is made smaller, in words: `reject:R1 invalid mem access`, `oracle:containment`. */
import { InputError } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { causeOf, crossCheck } from "../fuzz/cross-check.ts";
import { ORACLE_NAMES } from "../fuzz/oracle-names.ts";
import { oraclesNamed } from "../fuzz/oracles/all.ts";
import type { Shows } from "../fuzz/reduce.ts";
import { runProgram } from "../run-program.ts";
import { PROPERTIES } from "./property-names.ts";

export interface PropertySettings {
  readonly rules: Rules;
  /** Of the runs' inputs. */
  readonly seed: number;
  readonly runs: number;
}

function verdictShows(
  wanted: "accept" | "reject" | "unsupported",
  text: string,
  { rules }: PropertySettings,
): Shows {
  return (program) => {
    const verdict = verify(program, undefined, rules);
    if (verdict.verdict !== wanted) return false;
    if (verdict.verdict === "accept") return true;
    return (verdict.verdict === "reject" ? verdict.message : verdict.feature).includes(text);
  };
}

const faultShows =
  (text: string, { rules, seed, runs }: PropertySettings): Shows =>
  (program) =>
    runProgram(program, verify(program, undefined, rules), seed, runs, [], rules).runs.some(
      ({ outcome }) => outcome.kind === "fault" && outcome.message.includes(text),
    );

function violationShows(
  names: typeof ORACLE_NAMES,
  matches: (oracle: string, cause: string) => boolean,
  { rules, seed, runs }: PropertySettings,
): Shows {
  const oracles = oraclesNamed(names);
  return (program: Program) => {
    const { violation } = crossCheck(program, seed, { rules, runs, oracles });
    return violation !== undefined && matches(violation.oracle, causeOf(violation.message));
  };
}

/** @throws InputError where the words say nothing */
export function propertyOf(words: string, settings: PropertySettings): Shows {
  const [, kind = "", text = ""] = /^(\w+)(?::(.*))?$/s.exec(words) ?? [];
  switch (kind) {
    case "reject":
    case "unsupported":
      return verdictShows(kind, text, settings);
    case "accept":
      if (text === "") return verdictShows(kind, text, settings);
      break;
    case "fault":
      return faultShows(text, settings);
    case "finding":
      return violationShows(ORACLE_NAMES, (oracle, cause) => `${oracle}: ${cause}` === text, settings);
    case "oracle": {
      const names = ORACLE_NAMES.filter((name) => name === text);
      if (names.length > 0) return violationShows(names, () => true, settings);
      break;
    }
  }
  throw new InputError(`--while ${words}: is not ${PROPERTIES}`);
}
