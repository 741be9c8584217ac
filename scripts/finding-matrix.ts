/**
 * Which kernels accept the programs of corpus/findings: asks each kernel about all of them, keeps the answers in corpus/findings/accepted-by.json beside those of kernels asked before, and
 * writes the table of docs/kernel-campaigns.md anew. The programs are loaded and not run.
 *
 *     npx tsx scripts/finding-matrix.ts [KERNEL…]
 *
 * KERNEL is `linux`, `linux-6.1`, `linux-6.19.10`, …; without any, the table is written from the answers that are there.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { kernelAnswer } from "../src/campaign/compare/answer.ts";
import { openKernel } from "../src/cli/kernels.ts";
import { readBundle } from "../src/object/bundle.ts";

const FOLDER = "corpus/findings";
const ANSWERS = `${FOLDER}/accepted-by.json`;
const PAGE = "docs/kernel-campaigns.md";
const [BEGIN, END] = ["<!-- finding-matrix -->", "<!-- end of finding-matrix -->"];

/** By release, by file: `accept`, the complaint, or why there is no verdict. */
const schema = z.record(z.string(), z.record(z.string(), z.string()));

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".prog.json"))
  .sort();
const programs = files.map((file) => readBundle(readFileSync(`${FOLDER}/${file}`, "utf8")).program);
const answers = existsSync(ANSWERS) ? schema.parse(JSON.parse(readFileSync(ANSWERS, "utf8"))) : {};

/** A release without its build: `6.12.107`, `6.1.0-50`. */
const short = (release: string): string => /^[\d.]+(-\d+)?/.exec(release)?.[0] ?? release;

function answersOf(name: string): readonly [release: string, of: Record<string, string>] {
  const opened = openKernel(name);
  try {
    const of = files.map((file, i): readonly [string, string] => {
      const program = programs[i];
      if (program === undefined) throw new Error(`${file} has no program`);
      const answer = kernelAnswer(opened.kernel(), program, () => performance.now());
      if ("incomparable" in answer) return [file, `no verdict: ${answer.incomparable}`];
      const last = (answer.message ?? "").split("\n").at(-1) ?? "";
      return [file, answer.verdict === "accept" ? "accept" : `${answer.errno ?? ""} ${last}`];
    });
    return [short(opened.kernel().release), Object.fromEntries(of)];
  } finally {
    opened.close();
  }
}

for (const name of process.argv.slice(2)) {
  const [release, of] = answersOf(name);
  answers[release] = of;
  console.log(`${name}: ${release}: accepts ${Object.values(of).filter((each) => each === "accept").length}`);
}

const byVersion = new Intl.Collator("en", { numeric: true });
const releases = Object.keys(answers).sort((a, b) => byVersion.compare(a, b));
const ordered = Object.fromEntries(releases.map((release) => [release, answers[release] ?? {}]));
writeFileSync(ANSWERS, `${JSON.stringify(ordered, undefined, 1)}\n`);

const cell = (answer: string | undefined): string => {
  if (answer === undefined) return "";
  return answer === "accept" ? "**accepts**" : answer.startsWith("no verdict") ? "–" : "refuses";
};
const title = (file: string): string =>
  (file.split("/").at(-1) ?? file).replace(".prog.json", "").replaceAll("-", " ");
const rows = files.map((file) => {
  const cells = releases.map((release) => cell(answers[release]?.[file]));
  return `| [${title(file)}](../${FOLDER}/${file}) | ${cells.join(" | ")} |`;
});
const table = [`| | ${releases.join(" | ")} |`, `| --- |${" --- |".repeat(releases.length)}`, ...rows].join(
  "\n",
);

const page = readFileSync(PAGE, "utf8");
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
if (from === -1 || to < from) throw new Error(`${PAGE} has no place for the table`);
writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
