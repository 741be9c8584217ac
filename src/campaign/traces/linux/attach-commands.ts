/** Commands of bpf(2) that tell or take ids of programs, links and processes among other things: they are the kernel's there and ours here. */
import type { AttributeValue, BpfOperation } from "../../../kernel/operations/bpf.ts";
import type { Answer, ObjectKind } from "../../../kernel/system.ts";
import { doBpf } from "./bpf-calls.ts";
import type { LinuxTrace } from "./linux-trace.ts";

const COMMANDS: ReadonlySet<BpfOperation["command"]> = new Set([
  "prog_attach",
  "prog_detach",
  "prog_query",
  "link_create",
  "task_fd_query",
]);
/** BPF_F_ID and BPF_F_LINK: what a position is relative to is named by an id; it is a link. */
const BY_ID = 1 << 5;
const BY_LINK = 1 << 13;
/** Columns of ids that BPF_PROG_QUERY writes. */
const COLUMNS: Readonly<Record<string, ObjectKind>> = { prog_ids: "program", link_ids: "link" };

/** Whether the command has ids that are not simply its own; what is told of a link has. */
export function hasIdsInside(trace: LinuxTrace, { process, command, attr }: BpfOperation): boolean {
  if (command !== "obj_get_info_by_fd") return COMMANDS.has(command);
  const open = trace.running.get(process)?.find(({ fd }) => fd === attr["bpf_fd"]);
  return open?.kind === "link";
}

/** Does one of these commands. */
export function doAttachCommand(trace: LinuxTrace, operation: BpfOperation): Answer {
  const answer = doBpf(trace, { ...operation, attr: withTheirIds(trace, operation) });
  if (answer.out === undefined) return answer;
  const out = Object.entries(answer.out).map(([name, value]) => [name, withOurIds(trace, name, value)]);
  return { ...answer, out: Object.fromEntries(out) };
}

const numberOf = (value: AttributeValue | undefined): number => (typeof value === "number" ? value : 0);

function withTheirIds(trace: LinuxTrace, { command, attr }: BpfOperation): BpfOperation["attr"] {
  if (command === "task_fd_query") return { ...attr, pid: processId(trace, numberOf(attr["pid"])) };
  const flags = numberOf(attr[command === "link_create" ? "flags" : "attach_flags"]);
  const id = attr["relative_id"];
  if (typeof id !== "number" || (flags & BY_ID) === 0) return attr;
  return { ...attr, relative_id: trace.idOf((flags & BY_LINK) === 0 ? "program" : "link", id) };
}

/** A number that no process has: more than there are. */
const NO_PROCESS = 0x3fff_fff0;

const processId = (trace: LinuxTrace, process: number): number =>
  trace.running.has(process) ? trace.processes.pid(process) : NO_PROCESS;

function withOurIds(trace: LinuxTrace, name: string, value: number | string): number | string {
  if (name === "info" && typeof value === "string") return information(trace, value);
  if (name === "prog_id" && typeof value === "number") return trace.ours("program", value) ?? -1;
  const kind = COLUMNS[name];
  if (kind === undefined || typeof value !== "string") return value;
  const ids = Buffer.from(value, "hex");
  for (let at = 0; at + 4 <= ids.length; at += 4) {
    const id = ids.readUInt32LE(at);
    if (id !== 0) ids.writeUInt32LE(trace.ours(kind, id) ?? 0xffff_ffff, at);
  }
  return ids.toString("hex");
}

/** `struct bpf_link_info`: type, id and program's id; and of a socket map's link the map's. */
const SOCKET_MAP_LINK = 14;
const MAP_ID = 16;

function information(trace: LinuxTrace, value: string): string {
  const bytes = Buffer.from(value, "hex");
  const put = (kind: ObjectKind, at: number): void => {
    const id = bytes.readUInt32LE(at);
    if (id !== 0) bytes.writeUInt32LE(trace.ours(kind, id) ?? 0xffff_ffff, at);
  };
  put("link", 4);
  put("program", 8);
  if (bytes.readUInt32LE(0) === SOCKET_MAP_LINK) put("map", MAP_ID);
  return bytes.toString("hex");
}
