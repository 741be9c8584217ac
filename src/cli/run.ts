/** `soundcheck run`: one program in the machine, on packets or a context; or a pipeline of programs. */

import { rulesOf } from "../campaign/compare/rules.ts";
import { type GivenEnvironment, readEnvironment } from "../campaign/environment-file.ts";
import { fillMaps } from "../campaign/fill-maps.ts";
import { factsOfAccepted } from "../campaign/proved-facts.ts";
import { BUDGET, CPUS, environmentOf } from "../campaign/runner.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../oracle/linux/this-machine.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { returnName } from "../semantics/program/return-names.ts";
import type { Environment } from "../vm/environment.ts";
import { mayWritePacket } from "../vm/input.ts";
import { Machine, type RunResult } from "../vm/machine.ts";
import { readCapture } from "../vm/pcap.ts";
import { loadTogether } from "../vm/together.ts";
import { chosen, displayName, readBytes, readProgramFile } from "./files.ts";
import { hexDump, hexOf, parseHex } from "./hex.ts";
import { effectsJson, effectsText } from "./run-effects.ts";
import { mapContents, mapText } from "./run-maps.ts";
import { runPipeline } from "./run-pipeline.ts";
import { jsonTrace, textTrace } from "./run-trace.ts";
import { STATUS, type Status, worse } from "./status.ts";
import { breathe, complain, out, outJson, paint, printable } from "./terminal.ts";

export interface RunCommandOptions {
  readonly json?: true;
  readonly program?: string;
  /** Of programs in sections whose names say nothing. */
  readonly type?: ProgramType;
  /** Hexadecimal. */
  readonly packet?: string;
  readonly context?: string;
  /** A file's name. */
  readonly pcap?: string;
  readonly environment?: string;
  readonly pipeline?: string;
  /** A directory's name. */
  readonly out?: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly maps?: true;
  readonly trace?: true;
  readonly jit?: "checked" | "proved";
}

const NO_BYTES = new Uint8Array(0);

function oneProgram(file: string, programs: readonly Program[], name: string | undefined): Program {
  const [program, ...others] = chosen(file, programs, name);
  if (program === undefined) throw new InputError(`${displayName(file)}: holds no program`);
  if (others.length > 0 && name === undefined) {
    const names = programs.map((each) => each.name).join(", ");
    throw new InputError(`${displayName(file)}: holds ${names}; choose one with --program`);
  }
  return program;
}

/** The machine, with the object's other programs in reach of tail calls; with a seed, alone and with contents in its maps, as `check` has it. */
function machineFor(
  program: Program,
  programs: readonly Program[],
  packet: Uint8Array,
  { steps, seed, jit }: RunCommandOptions,
  cpus: number | undefined,
): Machine {
  const how = jit === undefined ? {} : { jit: jit === "proved" ? { facts: factsOfAccepted(programs) } : {} };
  if (seed !== undefined) {
    const machine = new Machine(program, { budget: steps ?? BUDGET, cpus: CPUS, ...how });
    fillMaps(machine.maps, packet, seed, CPUS);
    return machine;
  }
  const options = {
    ...(steps === undefined ? {} : { budget: steps }),
    ...(cpus === undefined ? {} : { cpus }),
    ...how,
  };
  const machine = loadTogether(programs, options)[programs.indexOf(program)];
  if (machine === undefined) throw new Error("a machine for each program");
  return machine;
}

const NOTHING: GivenEnvironment = { environment: {}, cpus: undefined };

async function givenEnvironment(name: string | undefined): Promise<GivenEnvironment> {
  if (name === undefined) return NOTHING;
  const text = new TextDecoder().decode(await readBytes(name));
  return inFile(displayName(name), () => readEnvironment(text));
}

/** The rules by which `check` verifies where nothing else is said: its runs are to be repeated. */
const checkedBy = (): Rules => (kernelAvailable().ok ? rulesOf(THIS_MACHINE) : DEFAULT_RULES);

function environment(
  given: Environment,
  packet: Uint8Array,
  context: Uint8Array,
  seed: number | undefined,
  program: Program,
): Environment {
  if (seed !== undefined) return environmentOf({ packet, context, seed }, program, checkedBy());
  return {
    ...given,
    ...(packet.length === 0 ? {} : { packet }),
    ...(context.length === 0 ? {} : { context }),
  };
}

/** The packets to run on, one after the other; one empty one for a program that needs none. */
async function packetsOf({ packet, pcap }: RunCommandOptions): Promise<readonly Uint8Array[]> {
  if (pcap !== undefined) {
    const bytes = await readBytes(pcap);
    return inFile(displayName(pcap), () => readCapture(bytes)).map((packet) => packet.bytes);
  }
  return [packet === undefined ? NO_BYTES : parseHex("--packet", packet)];
}

/** The packet after the run, if the program may change packets and did. */
function changedPacket(program: Program, before: Uint8Array, result: RunResult): Uint8Array | undefined {
  if (result.outcome === "fault" || result.packet === undefined) return undefined;
  const mayWrite = mayWritePacket(program);
  return mayWrite && Buffer.compare(before, result.packet) !== 0 ? result.packet : undefined;
}

function resultText(program: Program, before: Uint8Array, result: RunResult): string {
  const count = result.steps === 1 ? "1 instruction" : `${result.steps} instructions`;
  const printed = result.printed.map((line) => `  trace: ${line}\n`).join("");
  if (result.outcome === "fault") {
    const { insn, message, program: where } = result.fault;
    const elsewhere = where === program.name ? "" : ` of ${where}`;
    return `${paint(["red", "bold"], "fault")} at insn ${insn}${elsewhere}: ${message} (after ${count})\n${printed}`;
  }
  const low = Number(result.r0 & 0xffff_ffffn);
  const name = returnName(program.type, low);
  const meaning = name === undefined ? "" : ` ${paint("bold", name)}`;
  const packet = changedPacket(program, before, result);
  return [
    `returned ${low} (0x${low.toString(16)})${meaning} after ${count}\n`,
    effectsText(result.effects),
    printed,
    packet === undefined ? "" : `  packet out, ${packet.length} bytes:\n${hexDump(packet, "    ")}`,
  ].join("");
}

function resultJson(program: Program, before: Uint8Array, result: RunResult): object {
  const { outcome, steps, printed } = result;
  if (result.outcome === "fault") {
    const { kind, insn, message, program: where } = result.fault;
    return { program: program.name, outcome, kind, insn, in: where, message, steps, printed };
  }
  const { tracepointRecord } = result;
  const retval = Number(result.r0 & 0xffff_ffffn);
  const packet = changedPacket(program, before, result);
  return {
    program: program.name,
    outcome,
    retval,
    action: returnName(program.type, retval) ?? null,
    r0: `0x${result.r0.toString(16)}`,
    steps,
    printed,
    ...effectsJson(result.effects),
    ...(packet === undefined ? {} : { packet: hexOf(packet) }),
    ...(tracepointRecord === undefined ? {} : { tracepoint_record: hexOf(tracepointRecord) }),
  };
}

/** Runs a program, or a pipeline of programs. @throws InputError  for a combination of arguments that means neither */
export async function run(file: string | undefined, options: RunCommandOptions): Promise<Status> {
  const { pipeline, ...others } = options;
  if (pipeline === undefined) {
    if (file === undefined)
      throw new InputError("run: give a program's file, or a pipeline's with --pipeline");
    if (options.out !== undefined) throw new InputError("--out: it is for pipelines");
    return runOne(file, options);
  }
  if (file !== undefined) throw new InputError(`${file}: a pipeline names its programs itself`);
  for (const name of [
    "program",
    "type",
    "context",
    "steps",
    "seed",
    "jit",
    "trace",
    "environment",
  ] as const) {
    if (others[name] !== undefined) throw new InputError(`--${name}: not with --pipeline`);
  }
  return runPipeline({ ...others, pipeline });
}

/** Runs the program on each packet in turn: the maps keep what one run leaves in them for the next. */
async function runOne(file: string, options: RunCommandOptions): Promise<Status> {
  const { programs, failures } = await readProgramFile(file, options.type);
  for (const { name, message } of failures) complain(`${displayName(file)}: ${name}: ${message}`);
  const program = oneProgram(file, programs, options.program);
  const packets = await packetsOf(options);
  const context = options.context === undefined ? NO_BYTES : parseHex("--context", options.context);
  const given = await givenEnvironment(options.environment);
  const machine = machineFor(program, programs, packets[0] ?? NO_BYTES, options, given.cpus);
  let status: Status = STATUS.held;
  for (const [index, packet] of packets.entries()) {
    const trace =
      options.trace === true ? (options.json === true ? jsonTrace : textTrace)(program) : undefined;
    const result = machine.run(
      environment(given.environment, packet, context, options.seed, program),
      trace?.observe,
    );
    trace?.end();
    if (result.outcome === "fault") status = worse(status, STATUS.found);
    const numbered = packets.length > 1 || options.pcap !== undefined;
    if (options.json === true) {
      outJson({ ...(numbered ? { packet_number: index + 1 } : {}), ...resultJson(program, packet, result) });
    } else {
      const which = numbered ? `packet ${index + 1} (${packet.length} bytes): ` : `${program.name}: `;
      out(printable(which) + resultText(program, packet, result));
    }
    await breathe();
  }
  if (options.maps === true) {
    for (const map of machine.maps) {
      if (options.json === true) outJson(mapContents(map));
      else out(printable(mapText(map)));
    }
  }
  return status;
}
