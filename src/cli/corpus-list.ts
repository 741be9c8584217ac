/** `soundcheck corpus list`: the entries of the corpus, and what is expected of each. */
import type { Expected } from "../campaign/expectations.ts";
import type { Program } from "../semantics/program/program.ts";
import { knowledgeOf } from "./corpus.ts";
import { entryFiles, matcher } from "./corpus-entries.ts";
import { readProgramFile } from "./files.ts";
import { STATUS, type Status } from "./status.ts";
import { table } from "./table.ts";
import { note, out, outJson, printable } from "./terminal.ts";

export interface CorpusListOptions {
  readonly json?: true;
  readonly in?: string;
  readonly verdict?: string;
  readonly type?: string;
}

interface Entry {
  readonly file: string;
  readonly program: Program;
  readonly expected: Expected | undefined;
}

async function entriesOf(files: readonly string[], patterns: readonly string[]): Promise<readonly Entry[]> {
  const knowledge = knowledgeOf(files);
  const wanted = matcher(patterns);
  const entries: Entry[] = [];
  for (const file of files) {
    const { programs, expect } = await readProgramFile(file);
    for (const program of programs) {
      if (!wanted(file, program.name)) continue;
      entries.push({ file, program, expected: expect ?? knowledge.expected(file, program.name) });
    }
  }
  return entries;
}

/** A table of columns as wide as they need to be, where nobody has said how wide the page is. */
const WIDTH = 200;

export async function corpusList(
  patterns: readonly string[],
  { json, in: directory, verdict, type }: CorpusListOptions,
): Promise<Status> {
  const entries = (await entriesOf(entryFiles(directory), patterns)).filter(
    ({ program, expected }) =>
      (verdict === undefined || expected?.verdict === verdict) &&
      (type === undefined || program.type === type),
  );
  if (json === true) {
    for (const { file, program, expected } of entries) {
      const { name, type: kind, insns } = program;
      const { verdict: expects, message, runs } = expected ?? {};
      outJson({
        file,
        name,
        type: kind,
        instructions: insns.length,
        expect: expects ?? null,
        message: message ?? null,
        runs: runs?.length ?? 0,
      });
    }
  } else if (entries.length > 0) {
    const titles = ["program", "type", "insns", "expected", "runs", "message", "file"];
    const columns = titles.map((title) => ({
      title,
      align: title === "insns" || title === "runs" ? ("right" as const) : ("left" as const),
    }));
    const rows = entries.map(({ file, program, expected }) =>
      [
        program.name,
        program.type,
        `${program.insns.length}`,
        expected?.verdict ?? "–",
        `${expected?.runs.length ?? 0}`,
        expected?.message ?? "",
        file,
      ].map((text) => ({ text: printable(text) })),
    );
    out(table(columns, rows, WIDTH));
  }
  note(`${entries.length} entr${entries.length === 1 ? "y" : "ies"}`);
  return STATUS.held;
}
