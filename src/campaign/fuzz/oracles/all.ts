/** All oracles: to add one, write its file, its line here and its line in `oracle-names.ts`. */
import type { OracleName } from "../oracle-names.ts";
import { beside, message, processed, verdict } from "./agreement.ts";
import { broken } from "./broken.ts";
import { certificate } from "./certificate.ts";
import { crash } from "./crash.ts";
import { fault } from "./fault.ts";
import { harmless } from "./harmless.ts";
import { jit } from "./jit.ts";
import { bounds, console, dead, run } from "./kernel.ts";
import type { Oracle } from "./oracle.ts";
import { target } from "./target.ts";
import { containment, termination } from "./walk.ts";
import { word } from "./word.ts";

const ALL: Readonly<Record<OracleName, Oracle>> = {
  certificate,
  containment,
  fault,
  termination,
  jit,
  bounds,
  dead,
  run,
  console,
  beside,
  verdict,
  message,
  processed,
  harmless,
  word,
  crash,
  target,
  broken,
};

/** Those with the given names, in the order in which they are asked. */
export const oraclesNamed = (names: readonly OracleName[]): readonly Oracle[] =>
  Object.values(ALL).filter(({ name }) => names.includes(name));
