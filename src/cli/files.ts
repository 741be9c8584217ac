/** Opening files: whatever can be wrong with one is an `InputError` of one line that begins with its name. */
import { type FileHandle, open } from "node:fs/promises";
import { checkFileSize, type ProgramFile, readPrograms } from "../object/read.ts";
import { InputError } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { asLoaded, objectOptions } from "./rules.ts";

/** What stands for standard input among files. */
export const STANDARD_INPUT = "-";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["EACCES", "permission denied"],
  ["EISDIR", "is a directory"],
  ["ENOTDIR", "a part of its path is not a directory"],
  ["ELOOP", "too many symbolic links"],
  ["EMFILE", "too many open files"],
]);

function systemError(name: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  return new InputError(`${name}: ${REASONS.get(error.code) ?? error.message}`, { cause: error });
}

/** All bytes of a stream of unknown length, or an error as soon as there are too many. */
async function collect(name: string, chunks: AsyncIterable<unknown>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array)) throw new Error("a stream of bytes gives bytes");
    size += chunk.length;
    checkFileSize(name, size);
    pieces.push(chunk);
  }
  return Buffer.concat(pieces);
}

async function readOpen(name: string, file: FileHandle): Promise<Uint8Array> {
  const { size } = await file.stat();
  checkFileSize(name, size);
  // Not by its size: pipes and devices have none, and a file may grow.
  return collect(name, file.createReadStream({ autoClose: false }));
}

/** A file's bytes, or those of standard input for `-`. */
export async function readBytes(name: string): Promise<Uint8Array> {
  try {
    if (name === STANDARD_INPUT) return await collect("standard input", process.stdin);
    const file = await open(name);
    try {
      return await readOpen(name, file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw systemError(name, error);
  }
}

export function displayName(name: string): string {
  return name === STANDARD_INPUT ? "standard input" : name;
}

/** The programs in a file's bytes: an object (read for the running kernel), a bundle or assembly. @param defaultType of programs that do not say theirs */
export function parseFile(name: string, bytes: Uint8Array, defaultType?: ProgramType): ProgramFile {
  return readPrograms(name, bytes, objectOptions(defaultType));
}

export async function readProgramFile(name: string, defaultType?: ProgramType): Promise<ProgramFile> {
  const { programs, ...rest } = parseFile(displayName(name), await readBytes(name), defaultType);
  return { ...rest, programs: programs.map(asLoaded) };
}

/** The programs of the given name, or all. @throws InputError that lists the names there are */
export function chosen(
  file: string,
  programs: readonly Program[],
  name: string | undefined,
): readonly Program[] {
  if (name === undefined) return programs;
  const found = programs.filter((program) => program.name === name);
  if (found.length > 0) return found;
  const names = programs.map((program) => program.name).join(", ");
  throw new InputError(`${displayName(file)}: has no program ${name}${names === "" ? "" : `, but ${names}`}`);
}
