/**
 * soundcheck as a library: read programs, verify them, check the verifier's evidence, run them.
 *
 *     import { readFileSync } from "node:fs";
 *     import { Machine, readPrograms, verify } from "soundcheck";
 *
 *     const { programs } = readPrograms("filter.o", readFileSync("filter.o"));
 *     for (const program of programs) {
 *       const verdict = verify(program);
 *       if (verdict.verdict === "accept") console.log(new Machine(program).run({ packet: new Uint8Array(64) }));
 *     }
 */

// --- The cross-check
export { type CheckOptions, type CheckProgress, checkFiles, type InputFile } from "./campaign/check.ts";
export {
  type Agreement,
  type CheckedRun,
  type CheckedVerdict,
  type CheckSummary,
  type FaultReport,
  isFinding,
  type ProgramReport,
  type UnreadableReport,
  type Violation,
} from "./campaign/check-report.ts";
export { htmlReport } from "./campaign/html-report.ts";
export { type Btf, readBtf } from "./object/btf.ts";
export { type Bundle, type Expectation, type ExpectedRun, readBundle } from "./object/bundle.ts";
export { writeBundle } from "./object/bundle-write.ts";
export { type ObjectFile, type ObjectOptions, readObject } from "./object/programs.ts";
export { type ProgramFile, readPrograms } from "./object/read.ts";
// --- Classic BPF
export { type ClassicUse, checkFilter, type Refusal } from "./semantics/classic/check.ts";
export { convertFilter } from "./semantics/classic/convert.ts";
export type { PacketFacts, PacketInput } from "./semantics/classic/input.ts";
export type { ClassicInstruction, Filter } from "./semantics/classic/instruction.ts";
export { ClassicMachine } from "./semantics/classic/machine.ts";
export { type FilterFormat, readFilter } from "./semantics/classic/read.ts";
export {
  type SeccompAction,
  type SystemCallData,
  seccompAction,
  seccompData,
  strictest,
} from "./semantics/classic/seccomp.ts";
export { writeFilter } from "./semantics/classic/write.ts";
// --- Programs, and what they come from
export { InputError, Unsupported } from "./semantics/errors.ts";

// --- Instructions
export { assemble } from "./semantics/isa/assemble.ts";
export { decode, encode } from "./semantics/isa/codec.ts";
export { disassemble, disassembleInstruction } from "./semantics/isa/disassemble.ts";
export type { Instruction, Operation, Row } from "./semantics/isa/instruction.ts";
export type { MapDefinition, MapType } from "./semantics/program/map-types.ts";
export type { FunctionInfo, Program, Slots, SourceLine } from "./semantics/program/program.ts";
export type { AttachType, LoadFlag, ProgramType } from "./semantics/program/program-types.ts";
// --- The verifier
export type { Certificate, CertificateNode } from "./verifier/certificate.ts";
export { type CertificateCheck, checkCertificate } from "./verifier/check-certificate.ts";
export { closingLine, type LogLevel, VerifierLog } from "./verifier/log.ts";
export type { Statistics, Verdict } from "./verifier/verdict.ts";
export { verify } from "./verifier/verify.ts";
// --- The machine
export type { Environment, Task } from "./vm/environment.ts";
export type { Fault, FaultKind } from "./vm/fault.ts";
export { Machine, type MachineOptions, type Observer, type RunResult } from "./vm/machine.ts";
export { type CapturedPacket, readCapture } from "./vm/pcap.ts";
export { type RawResult, runRaw } from "./vm/raw.ts";
export { loadTogether } from "./vm/together.ts";
export type { Content, View } from "./vm/view.ts";
