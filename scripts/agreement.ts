/**
 * Writes docs/agreement.md: our verdicts beside those of kernels on all programs of the corpus and of Debian's packages (as far as
 * scripts/fetch-objects.sh has fetched them), by source, by program type and by what is complained of; and what is not modelled, by the
 * programs that it keeps from a verdict.
 *
 *     npx tsx scripts/agreement.ts [KERNEL…]
 *
 * asks the running kernel, or the kernels named. Nothing is attached or run. Programs of loaders without capabilities are let in meanwhile, where the
 * kernel's setting (kernel.unprivileged_bpf_disabled) can be changed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { debianObjects } from "../properties/object/debian.ts";
import type { InputFile } from "../src/campaign/check.ts";
import { type Comparison, compareFile } from "../src/campaign/compare/compare.ts";
import { complaintOf } from "../src/campaign/compare/complaint.ts";
import { isUnexplained } from "../src/campaign/compare/relation.ts";
import { grouped, tally, unsupportedFeatures } from "../src/campaign/compare/tally.ts";
import { percent } from "../src/cli/compare-table.ts";
import { corpusFiles, inCorpus, knownDifferences } from "../src/cli/corpus.ts";
import { openKernel } from "../src/cli/kernels.ts";
import type { Kernel } from "../src/oracle/linux/calls.ts";
import { asAnyLoader } from "../src/oracle/linux/probe/any-loader.ts";
import { InputError } from "../src/semantics/errors.ts";

const PAGE = new URL("../docs/agreement.md", import.meta.url);
const ROOT = fileURLToPath(new URL("..", import.meta.url));

const SOURCES: readonly (readonly [RegExp, string])[] = [
  [/^corpus\/objects\//, "C corpus, ISA v1 to v4"],
  [/^corpus\/verifier\//, "verifier cases"],
  [/^corpus\/idioms\//, "idioms"],
  [/^corpus\/proofs\//, "counterexamples of proofs"],
  [/^corpus\/findings\//, "findings of campaigns"],
];

function sourceOf(file: string): string {
  const known = SOURCES.find(([pattern]) => pattern.test(file));
  return known?.[1] ?? `Debian: ${file.split("/")[0] ?? file}`;
}

function inputs(): readonly InputFile[] {
  const own = corpusFiles().map((name) => ({ name, bytes: readFileSync(name) }));
  return [...own, ...debianObjects()];
}

/** A Markdown table. */
function table(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", "; ")).join(" | ")} |\n`;
  const rule = titles.map((_, index) => (index === 0 ? "---" : "---:"));
  return line(titles) + line(rule) + rows.map(line).join("");
}

function groups(all: readonly Comparison[], title: string, key: (each: Comparison) => string): string {
  const rows = [...grouped(all, key), ["all", all] as const].map(([name, own]) => {
    const { counts, unexplained, programs, compared, agreed } = tally(own);
    const both = (kind: "we accept" | "we reject"): string =>
      counts[kind] === 0 ? "" : `${counts[kind]} (${unexplained[kind]} open)`;
    return [
      name,
      programs,
      compared,
      compared === 0 ? "" : percent(agreed, compared),
      compared === 0 ? "" : percent(compared - unexplained["we accept"] - unexplained["we reject"], compared),
      both("we accept"),
      both("we reject"),
      ...(["errno", "message", "unsupported", "not comparable"] as const).map((kind) => counts[kind] || ""),
    ];
  });
  const titles = [
    "programs",
    "compared",
    "same verdict",
    "same or explained",
    "we accept",
    "we reject",
    "other errno",
    "other complaint",
  ];
  return table([title, ...titles, "not modelled", "not comparable"], rows);
}

/** Of the programs that both reject: what the kernel complains of, and whether we complain of the same. */
function complaints(all: readonly Comparison[]): string {
  const rejected = all.filter(({ theirs }) => "verdict" in theirs && theirs.verdict === "reject");
  const rows = [
    ...grouped(rejected, ({ theirs }) => complaintOf("message" in theirs ? (theirs.message ?? "") : "")),
  ].map(([name, own]) => {
    const { counts } = tally(own);
    return [
      name,
      own.length,
      counts.same,
      counts.errno || "",
      counts.message || "",
      counts["we accept"] || "",
      counts.unsupported || "",
    ];
  });
  return table(
    [
      "the kernel complains of",
      "programs",
      "so do we",
      "other errno",
      "of something else",
      "we accept",
      "not modelled",
    ],
    rows,
  );
}

function words(answer: Comparison["ours"] | Comparison["theirs"]): string {
  if ("incomparable" in answer) return "";
  if (answer.verdict !== "reject") return answer.verdict;
  return `${answer.errno ?? ""} ${answer.message?.split("\n").at(-1) ?? ""}`;
}

function differences(all: readonly Comparison[]): string {
  const different = all.filter(
    ({ relation: { kind } }) => !["same", "unsupported", "not comparable"].includes(kind),
  );
  const open = different.filter(({ relation }) => isUnexplained(relation));
  const explained = grouped(
    different.filter(({ relation }) => !isUnexplained(relation)),
    ({ relation }) => `${relation.kind}\t${relation.reason ?? ""}`,
  );
  const openText =
    open.length === 0
      ? "None is open.\n"
      : table(
          ["open", "ours", "the kernel's"],
          open.map(({ file, program, ours, theirs }) => [
            `${file}: ${program.name}`,
            words(ours),
            words(theirs),
          ]),
        );
  const known = [...explained].map(([key, { length }]) => [...key.split("\t"), length]);
  return `${openText}\n${table(["explained", "reason", "programs"], known)}`;
}

function obstacles(all: readonly Comparison[]): string {
  const some = all.filter(({ relation }) => relation.kind === "not comparable");
  return table(
    ["not comparable", "programs"],
    [...grouped(some, ({ relation }) => relation.reason ?? "")].map(([reason, { length }]) => [
      reason,
      length,
    ]),
  );
}

/** Instructions processed on the programs that both accept. */
function effort(all: readonly Comparison[]): string {
  const both = all.flatMap(({ ours, theirs }) =>
    ours.verdict === "accept" && "verdict" in theirs && theirs.verdict === "accept"
      ? [[ours.processed ?? 0, theirs.processed ?? 0] as const]
      : [],
  );
  const [own, kernels] = both.reduce(([a, b], [x, y]) => [a + x, b + y] as const, [0, 0] as const);
  return `On the ${both.length} programs that both accept, we process ${own} instructions and the kernel ${kernels}.\n`;
}

/** `Linux 6.18` */
const titleOf = (release: string): string => `Linux ${/^\d+\.\d+/.exec(release)?.[0] ?? release}`;

function section(release: string, all: readonly Comparison[]): string {
  return [
    `## ${titleOf(release)}\n`,
    groups(all, "source", ({ file }) => sourceOf(file)),
    effort(all),
    groups(all, "program type", ({ program }) => program.type),
    complaints(all),
    differences(all),
    obstacles(all),
  ].join("\n");
}

const known = knownDifferences();
const names = process.argv.slice(2);
const sections: string[] = [];
const everything: Comparison[] = [];
const leftOut = new Map<string, string>();
process.chdir(ROOT);

/** Compares everything with one kernel. */
function compareAll(kernel: () => Kernel): readonly Comparison[] {
  return inputs().flatMap((file) => {
    try {
      // A guest may be another one at the next file.
      const { comparisons, skipped, faults } = asAnyLoader(kernel(), () =>
        compareFile(file, {
          kernel,
          known,
          ofCorpus: inCorpus,
          now: () => performance.now(),
          // QEMU's loader says what its program is.
          ...(file.name.startsWith("qemu") ? { defaultType: "socket_filter" as const } : {}),
        }),
      );
      for (const { file: place, program, error } of faults) {
        console.error(`${place}: ${program}:`, error);
        process.exitCode = 3;
      }
      for (const { file: place, program, reason } of skipped) {
        leftOut.set(program === undefined ? place : `${place}: ${program}`, reason);
      }
      return comparisons;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      leftOut.set(file.name, error.message.replace(`${file.name}: `, ""));
      return [];
    }
  });
}

for (const name of names.length === 0 ? ["linux"] : names) {
  const { kernel, close } = openKernel(name);
  try {
    const { release } = kernel();
    const all = compareAll(kernel);
    everything.push(...all);
    sections.push(section(release, all));
    const { compared, agreed, programs } = tally(all);
    console.log(
      `${titleOf(release)}: ${agreed} of ${compared} verdicts the same (${percent(agreed, compared)}), of ${programs} programs`,
    );
  } finally {
    close();
  }
}
const features = unsupportedFeatures(everything).map(({ feature, programs }) => [feature, programs]);

writeFileSync(
  PAGE,
  `# Agreement with the kernel

Our verdicts beside those of Linux, on the corpus and on the compiled programs that Debian ships. \`npx tsx scripts/agreement.ts\` writes this page
(\`scripts/fetch-objects.sh\` fetches Debian's programs); \`soundcheck compare\` does the same for any files.

Objects are read for the kernel that is asked, as libbpf would: its types, its configuration, sizes that a loader sets. A program that does not
come to its verification (a hook that the kernel lacks, a map that it cannot create) is *not comparable*, and no agreement. What we do not model is
*not modelled*, by name; each program is counted for the first such feature that is met in it. The complaints of two verifiers are compared by
class, as messages change from version to version. A difference is *open* until \`corpus/differences.json\` says why it is there. Verifier cases and
idioms are chosen where verifiers differ; what people load are the others.

## Not modelled

${features.length === 0 ? "Nothing that these programs use.\n" : table(["feature", "programs that it keeps from a verdict"], features)}
${sections.join("\n")}
## Left out

${table(["file or program", "reason"], [...leftOut])}`,
);
