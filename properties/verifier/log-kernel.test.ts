/**
 * Our log beside the kernel's: for rejected programs of the corpus, the lines of the refused path are the kernel's, but for what the two do
 * not have in common: addresses of maps, bounds that ours knows better, ids, and the closing line's counts of states.
 */
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { VerifierLog } from "../../src/verifier/log.ts";
import { verify } from "../../src/verifier/verify.ts";
import { compiledPrograms } from "./corpus.ts";

const kernel = kernelAvailable();
const programs = compiledPrograms(3).filter(
  ({ name, functions }) => functions.length <= 1 && !name.includes("loop"),
);

/** The instruction lines and source lines, without what is printed of the states. */
const skeleton = (log: string): string[] =>
  log
    .split("\n")
    .filter((line) => /^(\d+: \(|; )/.test(line))
    .map((line) =>
      line.replace(/ +; .*$/, "").replace(/ = (0xffff[0-9a-f]{12}|map(_value)?\[.*)$/, " = map"),
    );

/** The state after each instruction, from the first on that differs in nothing but what ours may know better. */
const registers = (log: string): string[] =>
  log
    .split("\n")
    .flatMap(
      (line) =>
        /^\d+: \(.*?; (.*)$/.exec(line)?.[1]?.match(/R\d+=(ctx\(\)|pkt_end\(\)|fp-?\d+|-?\d+)(?= |$)/g) ?? [],
    );

describe.skipIf(!kernel.ok)(
  `the log of refused programs${kernel.ok ? "" : ` (skipped: ${kernel.reason})`}`,
  () => {
    const rejected = programs.filter((program) => {
      const result = loadProgram(program, { logLevel: 0 });
      if (result.verdict === "accept") result.close();
      return result.verdict === "reject" && verify(program).verdict === "reject";
    });

    test.each(rejected)("$name", (program) => {
      const result = loadProgram(program, { logLevel: 1 });
      const log = new VerifierLog(program, 1);
      const ours = log.finish(verify(program, log));
      if (!/^processed/m.test(result.log) || !/^\d+: \(/m.test(result.log)) return;
      const [mine, theirs] = [skeleton(ours), skeleton(result.log)];
      // Ours may refuse earlier: then it is a beginning of the kernel's.
      expect(mine).toEqual(theirs.slice(0, mine.length));
      const [own, their] = [registers(ours), registers(result.log)];
      expect(own).toEqual(their.slice(0, own.length));
    });
  },
);
