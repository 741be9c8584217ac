/** Runs of one program after another are as if each were the first: the machine and its maps are made new. */
import { expect, test } from "vitest";
import { programOfSeed } from "./generate/program.ts";
import { inputSource } from "./inputs.ts";
import { NEAR } from "./run-program.ts";
import { Runner } from "./runner.ts";

test("of 40 generated programs", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const program = programOfSeed(seed);
    const inputs = inputSource(program, seed);
    const kept = new Runner(program, false, "allow", NEAR);
    for (let run = 0; run < 4; run += 1) {
      const input = inputs.next();
      const seen: [string[], string[]] = [[], []];
      const outcomes = [kept, new Runner(program, false, "allow", NEAR)].map((runner, which) =>
        runner.run(input, (pc, view) => {
          view.look(0);
          if (view.steps < 500) seen[which === 0 ? 0 : 1].push(`${pc} ${view.low} ${view.high}`);
        }),
      );
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(seen[0]).toEqual(seen[1]);
    }
  }
});
