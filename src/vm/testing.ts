/** Programs in a line, for tests. */
import { assemble } from "../semantics/isa/assemble.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import type { Environment } from "./environment.ts";
import { Machine, type MachineOptions, type RunResult } from "./machine.ts";

export function program(type: ProgramType, asm: string, maps: readonly MapDefinition[] = []): Program {
  const insns = assemble(asm, { maps });
  return { name: "test", type, license: "GPL", flags: [], insns, maps, lines: [], functions: [] };
}

export function map(type: MapDefinition["type"], rest: Partial<MapDefinition> = {}): MapDefinition {
  return { name: "m", type, keySize: 4, valueSize: 8, maxEntries: 2, flags: 0, ...rest };
}

/** An Ethernet frame of a type that nothing looks into, with the bytes 0, 1, 2, … after its header. */
export function frame(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 14; i < length; i += 1) bytes[i] = i - 14;
  bytes.set([0x88, 0xb5], 12);
  return bytes;
}

export const FRAME = frame(64);

/** Runs a new program on `FRAME`. */
export function run(
  type: ProgramType,
  asm: string,
  options: MachineOptions & {
    readonly definitions?: readonly MapDefinition[];
    readonly environment?: Environment;
  } = {},
): RunResult {
  const { definitions, environment } = options;
  return new Machine(program(type, asm, definitions), options).run({ packet: FRAME, ...environment });
}

/** r0 of a program that must end. */
export function result(...given: Parameters<typeof run>): bigint {
  const ended = run(...given);
  if (ended.outcome === "fault") throw new Error(`fault at ${ended.fault.insn}: ${ended.fault.message}`);
  return ended.r0;
}
