/** Filters as numbers in text: what `tcpdump -ddd` and `tcpdump -dd` print, and the one line that bpf_asm prints and xt_bpf reads. */
import { InputError } from "../errors.ts";
import type { ClassicInstruction, Filter } from "./instruction.ts";

const WORD = 0xffff_ffff;

function instructionOf(place: string, fields: readonly string[]): ClassicInstruction {
  const [code, jt, jf, k] = fields.map(Number);
  if (fields.length !== 4 || code === undefined || jt === undefined || jf === undefined || k === undefined) {
    throw new InputError(`${place}: ${fields.length} numbers, but an instruction has code, jt, jf and k`);
  }
  const limits = [
    ["code", code, 0xffff],
    ["jt", jt, 255],
    ["jf", jf, 255],
    ["k", k, WORD],
  ] as const;
  for (const [name, value, most] of limits) {
    // Programs print k with a sign now and then.
    const least = name === "k" ? -0x8000_0000 : 0;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InputError(`${place}: ${name} is no integer from 0 to ${most}`);
    }
  }
  return { code, jt, jf, k: k >>> 0 };
}

function counted(count: string | undefined, lines: readonly string[], first: number): Filter {
  if (count === undefined || !/^\d+$/.test(count)) throw new InputError("line 1: no number of instructions");
  if (Number(count) !== lines.length) {
    throw new InputError(`${lines.length} instructions, but the number before them is ${count}`);
  }
  return lines.map((line, index) => instructionOf(`line ${index + first}`, line.split(/\s+/)));
}

/** As `tcpdump -ddd` prints: the number of instructions, then a line for each of code, jt, jf and k in decimal. */
export function writeDecimal(filter: Filter): string {
  const lines = filter.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}\n`);
  return `${filter.length}\n${lines.join("")}`;
}

/** @throws InputError  that names the line */
export function readDecimal(text: string): Filter {
  const [count, ...lines] = text.split("\n").map((line) => line.trim());
  return counted(
    count,
    lines.filter((line) => line !== ""),
    2,
  );
}

/** `4,40 0 0 12,21 0 1 2048,…`: the same on one line. */
export function writeBytecode(filter: Filter): string {
  const parts = filter.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`);
  return `${[filter.length, ...parts].join(",")}\n`;
}

/** @throws InputError */
export function readBytecode(text: string): Filter {
  const [count, ...parts] = text
    .trim()
    .replace(/,$/, "")
    .split(",")
    .map((part) => part.trim());
  return counted(count, parts, 1);
}

/** As `tcpdump -dd` prints: initialisers of a C array. */
export function writeInitialisers(filter: Filter): string {
  const hex = (value: number, digits = 0): string => `0x${value.toString(16).padStart(digits, "0")}`;
  return filter.map(({ code, jt, jf, k }) => `{ ${hex(code)}, ${jt}, ${jf}, ${hex(k, 8)} },\n`).join("");
}

const INITIALISER = /\{([^{}]*)\}/g;

/** @throws InputError */
export function readInitialisers(text: string): Filter {
  const left = text.replace(INITIALISER, "").replace(/[\s,;]+/g, "");
  if (left !== "")
    throw new InputError(`${JSON.stringify(left.slice(0, 20))} is no initialiser { code, jt, jf, k }`);
  return [...text.matchAll(INITIALISER)].map(([, inside = ""], index) =>
    instructionOf(
      `initialiser ${index + 1}`,
      inside.split(",").map((part) => part.trim()),
    ),
  );
}
