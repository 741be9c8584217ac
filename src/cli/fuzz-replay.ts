/** `soundcheck fuzz --replay FINDING`: whether the verifier under test still does what was found of it. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Crew, localCrew } from "../campaign/fuzz/crew.ts";
import { findingName, readFinding } from "../campaign/fuzz/store.ts";
import { OURS, restOf } from "../campaign/fuzz/targets/named.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { STATUS, type Status } from "./status.ts";
import { out, outJson, printable } from "./terminal.ts";

export interface ReplayOptions {
  readonly json?: true;
  readonly runs: number;
  readonly profile?: string;
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file}: cannot be read: ${reason}`, { cause: error });
  }
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

async function crewOf(target: string): Promise<Crew> {
  const seeded = restOf("seeded", target);
  if (seeded === undefined) return localCrew(1);
  return (await import("./fuzz-seeded.ts")).seededCrew(seeded, 1);
}

/** @param file  a `.finding.json`, or the bundle beside it */
export async function replayFinding(file: string, { json, runs, profile }: ReplayOptions): Promise<Status> {
  const place = findingName(file);
  const finding = inFile(place, () => readFinding(text(place)));
  const { program, seed, oracle, key, target = OURS, packet, value } = finding;
  const bundle = text(join(dirname(place), program));
  const crew = await crewOf(target);
  try {
    const answer = await crew.run({
      kind: "replay",
      bundle,
      seed,
      ...(packet === undefined || value === undefined
        ? {}
        : { input: { packet: bytes(packet), value: bytes(value), seed } }),
      settings: {
        runs,
        oracles: [oracle],
        ...(profile === undefined ? {} : { profile }),
        ...(target === OURS || restOf("seeded", target) !== undefined ? {} : { target }),
      },
    });
    if (answer !== undefined && "unusable" in answer) throw new InputError(answer.unusable);
    if (answer === undefined || !("shown" in answer))
      throw new Error("a replay is answered by what it shows");
    const [shown] = answer.shown;
    if (json === true) outJson({ key, target, shown: shown !== undefined, message: shown?.message });
    else
      out(
        `${printable(key)}\n  ${shown === undefined ? "it does not show any more" : printable(shown.message)}\n  verifier under test: ${printable(target)}\n`,
      );
    return shown === undefined ? STATUS.held : STATUS.found;
  } finally {
    await crew.close();
  }
}
