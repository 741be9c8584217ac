/**
 * What is expected of the corpus objects (`corpus/expectations.json`): for each object, whatever its ISA version, and each program in it the
 * verdict and some runs. Written from what each program is meant to do, and held against the running kernel by a test.
 */
import { z } from "zod";
import { InputError } from "../semantics/errors.ts";
import { parseJson } from "./json.ts";
import { explain, hex } from "./schema.ts";

/** A run by the rules of BPF_PROG_TEST_RUN: all maps as the object defines them, program arrays filled. */
export interface CorpusRun {
  /** The packet's name, for messages. */
  readonly name: string;
  readonly packet: Uint8Array;
  /** r0's low 32 bits, unsigned. */
  readonly retval: number;
  /** The packet afterwards, where the program's point is to change it (or not to). */
  readonly packetOut?: Uint8Array;
}

export interface CorpusExpectation {
  readonly verdict: "accept" | "reject";
  /** Of a rejection: the kernel's errno, and a part of the log's last line. */
  readonly errno?: string;
  readonly message?: string;
  /** What the program cannot be built or loaded without, in words. */
  readonly needs?: string;
  readonly runs: readonly CorpusRun[];
}

const program = z.strictObject({
  verdict: z.enum(["accept", "reject"]),
  errno: z.string().optional(),
  message: z.string().optional(),
  needs: z.string().optional(),
  runs: z
    .array(
      z.strictObject({
        packet: z.string(),
        retval: z.int().min(0).max(0xffff_ffff),
        packet_out: hex.optional(),
      }),
    )
    .default([]),
});

const schema = z.strictObject({
  packets: z.record(z.string(), hex),
  objects: z.record(z.string(), z.record(z.string(), program)),
});

/**
 * @param text the file's text
 * @returns by object (its name without `.vN.o`), then by program
 * @throws InputError with the path of what does not fit
 */
export function readExpectations(text: string): Map<string, Map<string, CorpusExpectation>> {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) throw new InputError(explain(parsed.error, "bundle"));
  const { packets, objects } = parsed.data;
  const result = new Map<string, Map<string, CorpusExpectation>>();
  for (const [object, programs] of Object.entries(objects)) {
    const of = new Map<string, CorpusExpectation>();
    result.set(object, of);
    for (const [name, { verdict, errno, message, needs, runs }] of Object.entries(programs)) {
      of.set(name, {
        verdict,
        ...(errno === undefined ? {} : { errno }),
        ...(message === undefined ? {} : { message }),
        ...(needs === undefined ? {} : { needs }),
        runs: runs.map(({ packet, retval, packet_out: out }) => {
          const bytes = packets[packet];
          if (bytes === undefined) {
            throw new InputError(`objects.${object}.${name}.runs: there is no packet ${packet}`);
          }
          return { name: packet, packet: bytes, retval, ...(out === undefined ? {} : { packetOut: out }) };
        }),
      });
    }
  }
  return result;
}
