/** What options of several commands share: how they are written, and how their arguments are read. */
import { InvalidArgumentError, Option } from "commander";
import { PROGRAM_TYPES } from "../semantics/program/program-types.ts";
import type { Status } from "./status.ts";

/** Makes a command's action of its work, so that its exit status is known. */
export type Action = <A extends readonly unknown[]>(
  work: (...given: A) => Promise<Status>,
) => (...given: A) => Promise<void>;

/** Reads an integer of a range. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Reads one of a list of names; each use of the option adds one. */
export function names<Name extends string>(
  known: readonly Name[],
): (text: string, before: readonly Name[]) => readonly Name[] {
  return (text, before) => {
    const name = known.find((each) => each === text);
    if (name === undefined) throw new InvalidArgumentError(`It must be one of ${known.join(", ")}.`);
    return [...before, name];
  };
}

/** Takes any text; each use of the option adds one. */
export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export const json = (): Option => new Option("--json", "answer with one JSON value a line");

export const program = (): Option =>
  new Option("--program <name>", "of the programs in a file, only the one of this name");

export const type = (): Option =>
  new Option("--type <type>", "of programs in sections whose names say nothing").choices(
    PROGRAM_TYPES.slice(1),
  );

export const profile = (): Option =>
  new Option(
    "--profile <name>",
    "the kernel whose rules hold: linux-X.Y, or a profile's file (default: the newest)",
  ).env("SOUNDCHECK_PROFILE");

/** @param about  what the server is for */
export const queue = (about = ""): Option =>
  new Option("--queue <url>", `a server${about === "" ? "" : ` ${about}`}: redis://… or postgres://…`).env(
    "SOUNDCHECK_QUEUE",
  );

export const seed = (about: string): Option =>
  new Option("--seed <n>", about).argParser(integer(0, 0x7fff_ffff));
