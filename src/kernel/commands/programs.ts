/** Commands on programs. */
import { Unsupported } from "../../semantics/errors.ts";
import { decode } from "../../semantics/isa/codec.ts";
import type { Program } from "../../semantics/program/program.ts";
import { PROGRAM_TYPES } from "../../semantics/program/program-types.ts";
import { EFAULT, EINVAL } from "../../vm/errno.ts";
import { prepare } from "../../vm/op.ts";
import type { Kernel, Process } from "../kernel.ts";
import { type MapObject, ProgramObject } from "../objects.ts";
import type { Attributes } from "./attributes.ts";
import { mapOf } from "./maps.ts";

const SLOT = 8;
/** First byte of a 16-byte load, and what its second byte's upper half says: a map's descriptor, or one whose value is loaded. */
const LD_IMM64 = 0x18;
const MAP_SOURCES = [1, 2];

/** BPF_PROG_LOAD. */
export function progLoad(kernel: Kernel, process: Process, attr: Attributes): number {
  const type = PROGRAM_TYPES[attr.u32("prog_type")];
  if (type === undefined) return EINVAL;
  const license = attr.text("license");
  const bytes = attr.bytes("insns");
  if (license === undefined || bytes === undefined) return EFAULT;
  const used = withMaps(process, bytes.slice(0, SLOT * attr.u32("insn_cnt")));
  if (typeof used === "number") return used;
  const { insns, maps } = used;
  const program: Program = {
    name: attr.text("prog_name") ?? "",
    type,
    license,
    flags: [],
    insns: decode(insns),
    maps: maps.map(({ storage }) => storage.definition),
    lines: [],
    functions: [],
  };
  if (attr.u32("prog_flags") !== 0) throw new Unsupported("prog_load: prog_flags");
  const loaded = { program, ops: prepare(program), maps: maps.map(({ storage }) => storage) };
  return process.descriptors.open(new ProgramObject(kernel.objects, loaded, maps));
}

/** The maps that descriptors in the instructions stand for, each once; and the instructions with their indices instead. */
function withMaps(
  { descriptors }: Process,
  bytes: Uint8Array,
): { insns: Uint8Array; maps: MapObject[] } | number {
  const insns = bytes.slice();
  const view = new DataView(insns.buffer);
  const maps: MapObject[] = [];
  for (let at = 0; at + 2 * SLOT <= insns.length; at += SLOT) {
    if (view.getUint8(at) !== LD_IMM64) continue;
    if (MAP_SOURCES.includes(view.getUint8(at + 1) >> 4)) {
      const map = mapOf(descriptors, view.getInt32(at + 4, true));
      if (typeof map === "number") return map;
      if (!maps.includes(map)) maps.push(map);
      view.setInt32(at + 4, maps.indexOf(map), true);
    }
    at += SLOT;
  }
  return { insns, maps };
}
