/**
 * How large certificates are and how fast they are checked, beside what they are of and how long it took to find them: the corpus' objects, and
 * what Debian ships if scripts/fetch-objects.sh has fetched it. `node bench/run.mjs certificates [FOLDER…]`
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { readPrograms } from "../src/object/read.ts";
import { InputError } from "../src/semantics/errors.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { ByteReader } from "../src/verifier/certificate-format/bytes.ts";
import { decodeCertificate } from "../src/verifier/certificate-format/decode.ts";
import { encodeCertificate } from "../src/verifier/certificate-format/encode.ts";
import { checkCertificate } from "../src/verifier/check-certificate.ts";
import { verify } from "../src/verifier/verify.ts";

const SHOWN = 8;

interface Row {
  readonly name: string;
  /** Bytes of its instructions. */
  readonly code: number;
  readonly processed: number;
  readonly nodes: number;
  /** Bytes of the states in memory, in a file, and in a file that is compressed. */
  readonly memory: number;
  readonly file: number;
  readonly deflated: number;
  /** Milliseconds to verify with the check of the certificate, to check alone, and to read from a file. */
  readonly verifyMs: number;
  readonly checkMs: number;
  readonly readMs: number;
}

function timed<T>(work: () => T): readonly [T, number] {
  work();
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

function measure(program: Program): Row | undefined {
  const [verdict, verifyMs] = timed(() => verify(program));
  if (verdict.verdict !== "accept") return undefined;
  const { certificate } = verdict;
  const bytes = encodeCertificate(certificate);
  const [, checkMs] = timed(() => checkCertificate(program, certificate));
  const [, readMs] = timed(() => decodeCertificate(new ByteReader(bytes)));
  return {
    name: program.name,
    code: 8 * program.insns.length,
    processed: verdict.statistics.processed,
    nodes: certificate.nodes.length,
    memory: certificate.nodes.reduce((sum, { state }) => sum + state.length, 0),
    file: bytes.length,
    deflated: deflateRawSync(bytes).length,
    verifyMs,
    checkMs,
    readMs,
  };
}

function filesIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(`${path}/${name}`));
}

/** What cannot be read here is for other tests to tell of. */
function programsOf(file: string): readonly Program[] {
  try {
    return readPrograms(file, readFileSync(file)).programs;
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

const total = (rows: readonly Row[], of: (row: Row) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);
const quantile = (rows: readonly Row[], q: number, of: (row: Row) => number): number =>
  rows.map(of).toSorted((a, b) => a - b)[Math.min(rows.length - 1, Math.floor(q * rows.length))] ?? 0;

const defaults = ["corpus/objects", ".cache/debian-objects"].map(
  (name) => new URL(`../${name}`, import.meta.url).pathname,
);
const folders = process.argv.length > 2 ? process.argv.slice(2) : defaults.filter((name) => existsSync(name));
for (const folder of folders) {
  const files = filesIn(folder).filter((name) => /\.(o|prog\.json)$/.test(name));
  const rows = files.flatMap(programsOf).flatMap((program) => measure(program) ?? []);
  const nodes = total(rows, (row) => row.nodes);
  const file = total(rows, (row) => row.file);
  console.log(`${folder}: ${rows.length} accepted programs, ${nodes} states`);
  console.log(
    `  code ${total(rows, (row) => row.code)} bytes, certificates ${file} (${total(rows, (row) => row.deflated)} compressed, ${total(rows, (row) => row.memory)} in memory): ${(file / nodes).toFixed(1)} bytes a state; of a program, median ${quantile(rows, 0.5, (row) => row.file)}, 95 % ${quantile(rows, 0.95, (row) => row.file)}`,
  );
  const [verifyMs, checkMs, readMs] = [
    total(rows, (row) => row.verifyMs),
    total(rows, (row) => row.checkMs),
    total(rows, (row) => row.readMs),
  ];
  console.log(
    `  verify ${verifyMs.toFixed(0)} ms, of which the check ${checkMs.toFixed(0)} ms; reading ${readMs.toFixed(0)} ms`,
  );
  console.log(
    "  program                     code  processed  states   bytes  a state  verify ms  check ms  read ms",
  );
  for (const row of rows.toSorted((a, b) => b.file - a.file).slice(0, SHOWN)) {
    const cells = [
      row.name.slice(0, 24).padEnd(24),
      `${row.code}`.padStart(8),
      `${row.processed}`.padStart(11),
      `${row.nodes}`.padStart(8),
      `${row.file}`.padStart(8),
      (row.file / row.nodes).toFixed(1).padStart(9),
      row.verifyMs.toFixed(1).padStart(11),
      row.checkMs.toFixed(1).padStart(10),
      row.readMs.toFixed(1).padStart(9),
    ];
    console.log(`  ${cells.join("")}`);
  }
}
