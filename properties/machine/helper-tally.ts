/** Runs programs that call helpers on the machine and on the running kernel, and counts. */
import { Unsupported } from "../../src/semantics/errors.ts";
import { type Calls, RECORD } from "./helper-calls.ts";
import { Pair } from "./pair.ts";

/** How many calls of each helper were compared, and in how many runs with it the two disagreed. */
export class Tally {
  readonly #rows = new Map<string, { compared: number; different: number }>();
  compared = 0;
  different = 0;
  /** What the machine does not model and was asked for. */
  readonly unsupported = new Set<string>();

  add(helpers: readonly string[], same: boolean): void {
    this.compared += helpers.length;
    if (!same) this.different += 1;
    for (const helper of helpers) {
      const row = this.#rows.get(helper) ?? { compared: 0, different: 0 };
      this.#rows.set(helper, row);
      row.compared += 1;
      if (!same) row.different += 1;
    }
  }

  /** As Markdown. */
  table(): string {
    const rows = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = rows.map(
      ([helper, { compared, different }]) => `| ${helper} | ${compared} | ${different} |`,
    );
    return [
      "| helper | calls | differences |",
      "| --- | --- | --- |",
      ...lines,
      `| all | ${this.compared} | ${this.different} |`,
    ].join("\n");
  }
}

/** What the machine and the kernel disagree about, in words; nothing if they agree. */
export function compareCalls({ program, helpers, environments }: Calls, tally: Tally): string | undefined {
  const pair = new Pair([program]);
  try {
    for (const environment of environments) {
      const { machine, kernel } = pair.run(0, environment);
      const contents = pair.contents();
      const differences = differing({ ...machine, ...contents.machine }, { ...kernel, ...contents.kernel });
      tally.add(helpers, differences.length === 0);
      if (differences.length === 0) continue;
      const { packet, context } = environment;
      const given = [packet, context].flatMap((bytes) =>
        bytes === undefined ? [] : [Buffer.from(bytes).toString("hex")],
      );
      return [`on ${given.join(" with context ")}:`, ...differences].join("\n");
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    tally.unsupported.add(error.message);
    return undefined;
  } finally {
    pair.close();
  }
}

/** Results by name; maps' contents by key. */
type Named = Readonly<Record<string, number | string | Readonly<Record<string, string>>>>;

/** Lines about what the two have of the same name; of a map's value, the records that differ. */
function differing(machine: Named, kernel: Named): readonly string[] {
  return Object.keys(machine).flatMap((name) => {
    const own = pieces(machine[name]);
    const expected = pieces(kernel[name]);
    if (own.length !== expected.length)
      return [`${name}: ${own.join(" ")}, the kernel ${expected.join(" ")}`];
    return own.flatMap((piece, i) =>
      piece === expected[i] ? [] : [`${name} ${i}: ${piece}, the kernel ${expected[i]}`],
    );
  });
}

function pieces(value: Named[string] = ""): readonly string[] {
  const text = typeof value === "object" ? Object.values(value).join("") : String(value);
  return text.length <= 4 * RECORD ? [text] : (text.match(new RegExp(`.{1,${2 * RECORD}}`, "g")) ?? []);
}
