/** All instruments. */
import { ownChecker, secondChecker } from "./certificate.ts";
import { containment } from "./containment.ts";
import { corpus } from "./corpus.ts";
import type { Instrument } from "./instrument.ts";
import { model } from "./model.ts";
import type { InstrumentName } from "./names.ts";
import { theorems } from "./theorems.ts";

export const INSTRUMENTS: Readonly<Record<InstrumentName, Instrument>> = {
  theorem: theorems,
  containment,
  certificate: ownChecker,
  checker: secondChecker,
  model,
  corpus,
};
