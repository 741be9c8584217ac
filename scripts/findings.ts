/**
 * Writes docs/findings.md: the programs of the corpus that Linux accepts and should not, from the reasons in corpus/differences.json.
 *
 *     npx tsx scripts/findings.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

const FINDING = "A finding: ";

const differences = z
  .array(z.object({ program: z.string(), ours: z.string(), kernel: z.string(), reason: z.string() }))
  .parse(JSON.parse(readFileSync("corpus/differences.json", "utf8")));
const named = z.object({ name: z.string() });
const files = new Map(
  readdirSync("corpus/verifier").map((file) => [
    named.parse(JSON.parse(readFileSync(`corpus/verifier/${file}`, "utf8"))).name,
    file,
  ]),
);

const findings = differences.filter(({ reason }) => reason.startsWith(FINDING));
const subjects = [...new Set(findings.map(({ program }) => subjectOf(program)))].sort();

/** What stands before the colon in a program's name. */
function subjectOf(program: string): string {
  return program.replace(/:.*/, "");
}

function item({ program, reason }: (typeof findings)[number]): string {
  const file = files.get(program);
  const title = program.slice(subjectOf(program).length).replace(/^: /, "") || program;
  const link = file === undefined ? title : `[${title}](../corpus/verifier/${file})`;
  return `- ${link}. ${reason.slice(FINDING.length)}.`;
}

const sections = subjects.map((subject) => {
  const items = findings.filter(({ program }) => subjectOf(program) === subject).map(item);
  return `## ${subject[0]?.toUpperCase()}${subject.slice(1)}\n\n${items.join("\n")}\n`;
});

writeFileSync(
  "docs/findings.md",
  `# Findings

Programs that Linux accepts and should not: ${findings.length} of the corpus. Each is refused by soundcheck, is as small as its point allows, and was accepted by Linux 6.18 when it was asked, or by 7.3 alone; where these do
not agree, that is said. Written by \`npx tsx scripts/findings.ts\` from \`corpus/differences.json\`. \`npx soundcheck compare FILE --with linux\` shows both verdicts on the running kernel.

${sections.join("\n")}`,
);
console.log(`${findings.length} findings`);
