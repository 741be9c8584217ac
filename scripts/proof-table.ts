/**
 * The tables of docs/proofs.md from a run of the prover:
 *
 *     soundcheck prove --all --wrong --json > artifacts/proofs.ndjson
 *     npx tsx scripts/proof-table.ts artifacts/proofs.ndjson --write docs/proofs.md
 *
 * What stands between the markers is replaced; without `--write` the tables are printed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

const THEOREM = z.object({
  theorem: z.string(),
  subject: z.string(),
  says: z.string(),
  width: z.number(),
  full: z.boolean(),
  inputs: z.enum(["any", "synchronised"]),
  result: z.string(),
  reason: z.string().nullable(),
  obligations: z.number(),
  seconds: z.number(),
  solver: z.string().nullable(),
  assumptions: z.array(z.string()),
  wrong: z.array(z.object({ name: z.string(), result: z.string() })),
});
type Theorem = z.infer<typeof THEOREM>;

const SUMMARY = z.object({ summary: z.object({ seconds: z.number(), jobs: z.number() }) });

const isProved = ({ result }: Theorem): boolean => result === "proved" || result === "proved before";

/** How many of some theorems are proved: all, some, or a dash for none there. */
function share(theorems: readonly Theorem[]): string {
  if (theorems.length === 0) return "–";
  const proved = theorems.filter(isProved).length;
  return proved === theorems.length ? `proved (${proved})` : `${proved} of ${theorems.length}`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Sound on synchronised inputs follows from sound on any. */
function synchronisedShare(any: readonly Theorem[], synchronised: readonly Theorem[]): string {
  if (synchronised.length > 0) return share(synchronised);
  return any.length > 0 && any.every(isProved) ? "follows" : "–";
}

function row(subject: string, all: readonly Theorem[]): string {
  const theorems = all.filter(({ full }) => full);
  const saying = (...says: readonly string[]): readonly Theorem[] =>
    theorems.filter((t) => says.includes(t.says));
  const sound = saying("sound");
  const any = sound.filter(({ inputs }) => inputs === "any");
  const synchronised = sound.filter(({ inputs }) => inputs === "synchronised");
  const wrong = theorems.flatMap((t) => t.wrong);
  const refuted = wrong.filter(({ result }) => result === "refuted").length;
  const cells = [
    subject,
    [...new Set(theorems.map(({ width }) => width))].join(", "),
    share(any),
    synchronisedShare(any, synchronised),
    share(saying("well-formed")),
    share(saying("reductive")),
    share(saying("optimal")),
    share(saying("order", "rfc", "equal")),
    String(sum(theorems.map(({ obligations }) => obligations))),
    sum(theorems.map(({ seconds }) => seconds)).toFixed(1),
    `${refuted} of ${wrong.length}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

const HEAD = [
  "| subject | bits | sound, any input | sound, synchronised | well-formed | reductive | optimal | other | questions | seconds | wrong versions refuted |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | ---: | ---: | ---: |",
];

function tables(theorems: readonly Theorem[], { seconds, jobs }: { seconds: number; jobs: number }): string {
  const subjects = [...new Set(theorems.map(({ subject }) => subject))];
  const wrong = theorems.flatMap((t) => t.wrong);
  const open = theorems.filter((t) => !isProved(t));
  const substitutes = theorems.filter(({ full }) => !full);
  const assumed = theorems.filter(({ assumptions }) => assumptions.length > 0);
  return [
    `${theorems.length} theorems, ${theorems.filter(isProved).length} proved from nothing, and ${wrong.filter(({ result }) => result === "refuted").length} of ${wrong.length} wrong versions refuted, in ${seconds.toFixed(0)} s on ${jobs} processes.`,
    "",
    ...HEAD,
    ...subjects.map((subject) =>
      row(
        subject,
        theorems.filter((t) => t.subject === subject),
      ),
    ),
    "",
    "### Not proved at full width",
    "",
    ...(open.length === 0
      ? ["Nothing."]
      : open.map(({ theorem, reason, subject }) => {
          const widths = substitutes
            .filter((t) => t.subject === subject && isProved(t))
            .map(({ width }) => width);
          const instead = widths.length === 0 ? "" : ` Proved at ${[...new Set(widths)].join(", ")} bits.`;
          return `- \`${theorem}\`: ${reason ?? "not tried"}.${instead}`;
        })),
    "",
    "### Argued on paper",
    "",
    ...(assumed.length === 0
      ? ["Nothing."]
      : assumed.flatMap(({ theorem, assumptions }) => assumptions.map((a) => `- \`${theorem}\`: ${a}`))),
    "",
  ].join("\n");
}

const [BEGIN, END] = ["<!-- tables: begin -->", "<!-- tables: end -->"];

function between(text: string, made: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`no place for the tables: ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${made}${text.slice(end)}`;
}

const [file, flag, target] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: proof-table.ts RUN.ndjson [--write FILE.md]");
const lines = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line): unknown => JSON.parse(line));
const theorems = lines.slice(0, -1).map((line) => THEOREM.parse(line));
const { summary } = SUMMARY.parse(lines.at(-1));
const made = tables(theorems, summary);
if (flag === "--write" && target !== undefined)
  writeFileSync(target, between(readFileSync(target, "utf8"), made));
else console.log(made);
