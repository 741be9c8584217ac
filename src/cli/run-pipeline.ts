/** `soundcheck run --pipeline`: packets on their way through the hooks of devices; what left where, counted, and as captures. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { buildPipeline, filesOf } from "../campaign/pipeline-build.ts";
import { readPipeline } from "../campaign/pipeline-file.ts";
import { InputError, inFile, Unsupported } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import { returnName } from "../semantics/program/return-names.ts";
import type { Environment } from "../vm/environment.ts";
import { type CapturedPacket, readCapture, writeCapture } from "../vm/pcap.ts";
import { type Exit, exitName, type XdpException } from "../vm/pipeline/exit.ts";
import { onWire } from "../vm/pipeline/flight.ts";
import { walk } from "../vm/pipeline/walk.ts";
import { displayName, readBytes, readProgramFile } from "./files.ts";
import { parseHex } from "./hex.ts";
import { mapContents, mapText } from "./run-maps.ts";
import { STATUS, type Status } from "./status.ts";
import { table } from "./table.ts";
import { breathe, complain, out, outJson, printable } from "./terminal.ts";

interface PipelineOptions {
  readonly json?: true;
  /** Files' names. */
  readonly pipeline: string;
  readonly pcap?: string;
  /** Hexadecimal. */
  readonly packet?: string;
  /** Where captures are written, a file for each exit. */
  readonly out?: string;
  readonly maps?: true;
}

/** Characters in a line of the table. */
const WIDTH = 160;

/** What left by one exit. */
interface Gathered {
  readonly exit: Exit;
  readonly packets: CapturedPacket[];
}

/** Runs every packet through the pipeline in turn. */
export async function runPipeline(options: PipelineOptions): Promise<Status> {
  const { pipeline: name, json } = options;
  const text = new TextDecoder().decode(await readBytes(name));
  const file = inFile(displayName(name), () => readPipeline(text));
  const programs = await programsOf(name, filesOf(file));
  const { pipeline, entry, environment, maps } = inFile(displayName(name), () =>
    buildPipeline(file, programs),
  );
  const packets = await packetsOf(options);
  const exits = new Map<string, Gathered>();
  const start = packets[0]?.timeNs ?? 0n;
  for (const [index, packet] of packets.entries()) {
    const at = later(environment, (packet.timeNs ?? start) - start);
    const course = atPacket(index, () => walk(pipeline, entry, packet.bytes, at));
    for (const exit of course.exits) gather(exits, exit, packet);
    for (const line of course.printed) print(json, index, line);
    for (const event of course.events) tell(json, index, event);
    await breathe();
  }
  const files = await write(exits, options.out);
  if (json === true) for (const [exit, gathered] of exits) outJson(exitJson(exit, gathered, files.get(exit)));
  else out(exitTable(exits, files, packets.length));
  for (const map of options.maps === true ? maps : []) {
    if (json === true) outJson(mapContents(map));
    else out(printable(mapText(map)));
  }
  return [...exits.values()].some(({ exit }) => exit.kind === "fault") ? STATUS.found : STATUS.held;
}

/** The programs of each file, whose names are relative to the pipeline's. */
async function programsOf(
  pipeline: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly Program[]>> {
  const found = new Map<string, readonly Program[]>();
  for (const name of names) {
    const path = isAbsolute(name) ? name : join(dirname(pipeline), name);
    const { programs, failures } = await readProgramFile(path);
    for (const failure of failures) complain(`${path}: ${failure.name}: ${failure.message}`);
    found.set(name, programs);
  }
  return found;
}

async function packetsOf({ pcap, packet }: PipelineOptions): Promise<readonly CapturedPacket[]> {
  if (pcap !== undefined) {
    const bytes = await readBytes(pcap);
    return inFile(displayName(pcap), () => readCapture(bytes));
  }
  if (packet === undefined)
    throw new InputError("packets: give a capture with --pcap, or one packet with --packet");
  const bytes = parseHex("--packet", packet);
  return [{ bytes, length: bytes.length, timeNs: undefined }];
}

/** The clock goes on as the packets' times do. */
function later(environment: Environment, ns: bigint): Environment {
  return { ...environment, clockNs: (environment.clockNs ?? 0n) + (ns > 0n ? ns : 0n) };
}

function atPacket<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Unsupported) throw new Unsupported(`packet ${index + 1}: ${error.message}`);
    throw error instanceof InputError ? new InputError(`packet ${index + 1}: ${error.message}`) : error;
  }
}

function gather(exits: Map<string, Gathered>, exit: Exit, { timeNs }: CapturedPacket): void {
  const name = exitName(exit);
  const gathered = exits.get(name) ?? { exit, packets: [] };
  exits.set(name, gathered);
  const bytes = onWire(exit.frame, exit.vlan);
  gathered.packets.push({ bytes, length: exit.length + bytes.length - exit.frame.length, timeNs });
}

/** Writes a capture for each exit; their names. */
async function write(
  exits: ReadonlyMap<string, Gathered>,
  directory: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  if (directory === undefined) return files;
  try {
    await mkdir(directory, { recursive: true });
    for (const [name, { packets }] of exits) {
      const plain = name.replace(/[^\w.]+/g, "-").replace(/^-|-$/g, "");
      const taken = [...files.values()].filter((file) => file === `${plain}.pcap`).length;
      const file = taken === 0 ? `${plain}.pcap` : `${plain}-${files.size}.pcap`;
      await writeFile(join(directory, file), writeCapture(packets));
      files.set(name, file);
    }
  } catch (error) {
    throw new InputError(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return files;
}

// --- Output

function print(json: true | undefined, index: number, line: string): void {
  if (json === true) outJson({ packet_number: index + 1, printed: line });
  else out(printable(`packet ${index + 1}: trace: ${line}\n`));
}

function tell(json: true | undefined, index: number, event: XdpException): void {
  if (json === true) outJson({ packet_number: index + 1, ...event });
  else {
    const { program, act, ifindex } = event;
    out(printable(`packet ${index + 1}: ${event.event}: prog=${program} act=${act} ifindex=${ifindex}\n`));
  }
}

const bytesIn = (packets: readonly CapturedPacket[]): number =>
  packets.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** What the deciding program returned, by name where it has one. */
function verdictOf({ kind, value, why = "" }: Exit): string {
  if (value === undefined || kind === "fault") return "";
  return returnName(why.startsWith("xdp") ? "xdp" : "sched_cls", value) ?? `${value}`;
}

function exitTable(
  exits: ReadonlyMap<string, Gathered>,
  files: ReadonlyMap<string, string>,
  count: number,
): string {
  const columns = [
    { title: "exit", align: "left" },
    { title: "verdict", align: "left" },
    { title: "packets", align: "right" },
    { title: "bytes", align: "right" },
    ...(files.size === 0 ? [] : [{ title: "file", align: "left" } as const]),
  ] as const;
  const rows = [...exits].map(([name, { exit, packets }]) =>
    [
      printable(name),
      verdictOf(exit),
      `${packets.length}`,
      `${bytesIn(packets)}`,
      ...(files.size === 0 ? [] : [files.get(name) ?? ""]),
    ].map((text) => ({ text })),
  );
  const faults = [...exits.values()].flatMap(({ exit: { fault } }) =>
    fault === undefined ? [] : [`fault at insn ${fault.insn} of ${fault.program}: ${fault.message}\n`],
  );
  const total = `${count} ${count === 1 ? "packet" : "packets"} in\n`;
  return table(columns, rows, WIDTH) + printable(faults.join("")) + total;
}

function exitJson(name: string, { exit, packets }: Gathered, file: string | undefined): object {
  const { kind, at, why, program, value, fault } = exit;
  return {
    exit: name,
    kind,
    at,
    ...(why === undefined ? {} : { why }),
    ...(program === undefined ? {} : { program }),
    ...(value === undefined ? {} : { value, verdict: verdictOf(exit) }),
    ...(fault === undefined ? {} : { insn: fault.insn, message: fault.message }),
    packets: packets.length,
    bytes: bytesIn(packets),
    ...(file === undefined ? {} : { file }),
  };
}
