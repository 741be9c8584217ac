/** BPF_PROG_LOAD: the kernel's checks in the kernel's order, the verdict of our verifier in the place of the kernel's. */
import { InputError, Unsupported } from "../../semantics/errors.ts";
import { decode } from "../../semantics/isa/codec.ts";
import { InstructionError } from "../../semantics/isa/refusal.ts";
import { programFacts } from "../../semantics/profile/lookup.ts";
import type { Capability } from "../../semantics/program/privileges.ts";
import { isCapable } from "../../semantics/program/privileges.ts";
import type { Program } from "../../semantics/program/program.ts";
import {
  ATTACH_TYPES,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
  type ProgramType,
} from "../../semantics/program/program-types.ts";
import { capabilitiesFor } from "../../verifier/admission.ts";
import { verify } from "../../verifier/verify.ts";
import { E2BIG, EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../vm/errno.ts";
import { prepare } from "../../vm/op.ts";
import type { BtfObject } from "../btf-object.ts";
import { ProgramObject } from "../objects.ts";
import { type Call, programByFd, tokenProblem } from "./call.ts";
import { LoadLog } from "./load-log.ts";
import { isAttachTypeFor, withAttachType } from "./load-types.ts";
import { arrayOf, type NamedMaps, namedMaps } from "./named-maps.ts";
import { objectName } from "./names.ts";
import { functionRecords, recordProblem } from "./program-records.ts";
import { formProblem } from "./raw-checks.ts";

const SLOT = 8;
/** Flags that Linux 6.18 knows: those of `LOAD_FLAGS`, and further ones that are not modelled. */
const FURTHER_FLAGS = { xdp_dev_bound_only: 1 << 6, test_reg_invariants: 1 << 7, token: 1 << 16 } as const;
const KNOWN_FLAGS = [...Object.values(LOAD_FLAGS), ...Object.values(FURTHER_FLAGS)].reduce(
  (a, b) => a | b,
  0,
);

/** The most instructions of a program, by whether its loader has `cap_bpf`. */
const MOST_INSNS = { capable: 1_000_000, others: 4096 } as const;
/** What is read of a license at most. */
const LICENSE_SIZE = 127;
/** The last id that a type in BTF may have. */
const BTF_MAX_TYPE = 0xf_ffff;

/** Types whose programs attach to something by a BTF id. */
const BY_BTF_ID: ReadonlySet<string> = new Set(["tracing", "lsm", "struct_ops", "ext"]);

type LoadCall = Call<"prog_load">;

export function progLoad(call: LoadCall): number {
  const { process, attr, kernel } = call;
  const flags = attr.u32("prog_flags");
  if ((flags & ~KNOWN_FLAGS) !== 0) return EINVAL;
  if ((flags & FURTHER_FLAGS.token) !== 0) return tokenProblem(process, attr.s32("prog_token_fd"));
  const privileges = process.capabilities;
  const capable = isCapable({ privileges }, "cap_bpf");
  if (kernel.unprivilegedBpfDisabled !== 0 && !capable) return EPERM;
  const count = attr.u32("insn_cnt");
  if (count === 0 || count > MOST_INSNS[capable ? "capable" : "others"]) return E2BIG;
  const number = attr.u32("prog_type");
  // A number without a type needs what a type does that is no program's of the network nor of tracing.
  const type = PROGRAM_TYPES[number];
  const needed: readonly Capability[] =
    type === undefined || type === "unspec" ? ["cap_bpf"] : capabilitiesFor(type);
  if (!needed.every((one) => one !== "cap_sys_admin" && isCapable({ privileges }, one))) return EPERM;
  const target = targetProblem(call, type);
  if (target !== 0) return target;
  const attach = withAttachType(type, attr.u32("expected_attach_type"));
  if (!isAttachTypeFor(type, attach, kernel.rules.profile)) return EINVAL;

  const bytes = attr.read("insns", SLOT * count);
  if (bytes === undefined) return EFAULT;
  const license = attr.memory.readText(attr.u64("license"), LICENSE_SIZE);
  if (license === undefined) return EFAULT;
  if (attr.u64("signature") !== 0n) throw new Unsupported("prog_load: signatures");
  if (attr.u32("prog_ifindex") !== 0) throw new Unsupported("prog_load: programs of a device");
  if (type === undefined || type === "unspec") return EINVAL;
  const name = objectName(attr.name("prog_name"));
  if (typeof name === "number") return name;
  const attachType = ATTACH_TYPES[attach];
  if (attachType === undefined) throw new Unsupported(`prog_load: attach type ${attach}`);
  return check(call, bytes, {
    name,
    type,
    license,
    flags: flagNames(flags),
    ...(attach === 0 ? {} : { attach: attachType }),
    privileges,
    lines: [],
    functions: [],
  });
}

function flagNames(flags: number): readonly LoadFlag[] {
  if ((flags & (FURTHER_FLAGS.xdp_dev_bound_only | FURTHER_FLAGS.test_reg_invariants)) !== 0)
    throw new Unsupported("prog_load: prog_flags for devices or for tests of a kernel");
  const known: readonly LoadFlag[] = Object.keys(LOAD_FLAGS).filter(isLoadFlag);
  return known.filter((flag) => (flags & LOAD_FLAGS[flag]) !== 0);
}

function isLoadFlag(name: string): name is LoadFlag {
  return name in LOAD_FLAGS;
}

/** What the program is to attach to, by the ids of types: not modelled, where the kernel would look further. */
function targetProblem({ process, attr }: LoadCall, type: ProgramType | undefined): number {
  const [fd, id] = [attr.s32("attach_prog_fd"), attr.u32("attach_btf_id")];
  if (fd === 0 && id === 0) return 0;
  if (fd !== 0) {
    const program = programByFd(process, fd);
    // Programs attach to the kernel's own types alone.
    if (typeof program === "number")
      return process.descriptors.target(fd)?.kind === "btf" ? ENOTSUPP : EINVAL;
  }
  if (id > BTF_MAX_TYPE || type === undefined || !BY_BTF_ID.has(type)) return EINVAL;
  throw new Unsupported(`prog_load: a program of type ${type} with a target`);
}

/** What comes once the kernel has begun to verify: from here on there is a log. */
function check(call: LoadCall, bytes: Uint8Array, parts: Omit<Program, "insns" | "maps">): number {
  const { attr, process, kernel } = call;
  const log = new LoadLog(attr);
  if (!log.isValid) return EINVAL;
  const found = verdictOn(call, bytes, parts, log);
  const problem = log.finish(attr);
  if (problem !== 0) return problem;
  if (typeof found === "number") return found;
  const { program, maps, types } = found;
  const loaded = { program, ops: prepare(program), maps: maps.maps.map(({ storage }) => storage) };
  // Maps of programs take programs of one kind: whoever refers to them first says of which.
  for (const { storage } of [...maps.maps, ...maps.further.maps]) {
    const asks =
      storage.kind === "programs" ||
      (storage.kind === "devices" && storage.definition.type !== "devmap_hash");
    if (asks && !storage.owner.accepts(program)) return EINVAL;
  }
  return process.descriptors.open(
    new ProgramObject(
      kernel.objects,
      loaded,
      [...maps.maps, ...maps.further.maps],
      types,
      maps.further.types,
    ),
  );
}

function verdictOn(
  call: LoadCall,
  bytes: Uint8Array,
  parts: Omit<Program, "insns" | "maps">,
  log: LoadLog,
): { readonly program: Program; readonly maps: NamedMaps; readonly types: BtfObject | undefined } | number {
  const { attr, process, kernel } = call;
  const forbidden = parts.flags.includes("sleepable")
    ? programFacts(kernel.rules.profile, parts)?.forbiddenMaps
    : undefined;
  const further = arrayOf(process, attr, forbidden ?? []);
  if ("error" in further) return log.say(further.message, further.error);
  if (attr.u32("core_relo_cnt") !== 0) throw new Unsupported("prog_load: CO-RE relocations");
  const records = functionRecords(call);
  if (typeof records === "number") return log.say("", records);
  const wrong = records === undefined ? 0 : recordProblem(call, bytes, records);
  if (wrong !== 0) return log.say("", wrong);
  const named = namedMaps(process, attr, bytes, further.maps);
  if ("error" in named) {
    const form = formProblem(bytes, named.insn, isCapable({ privileges: process.capabilities }, "cap_bpf"));
    return log.say("", form === 0 ? named.error : form);
  }
  const maps = { ...named, further };
  let insns: Program["insns"];
  try {
    insns = decode(named.insns);
  } catch (error) {
    if (error instanceof InstructionError) return log.say(error.said, EINVAL);
    if (error instanceof InputError) return log.say(error.message, EINVAL);
    throw error;
  }
  // Of their names only the log would speak.
  const functions = (records?.functions ?? []).map(({ start, type, isStatic }) => ({
    insn: start,
    name: `function_${start}`,
    typeId: type,
    linkage: isStatic ? ("static" as const) : ("global" as const),
  }));
  const program: Program = { ...parts, insns, maps: named.definitions, functions };
  const verdict = log.verify(program, kernel.rules, verify);
  return typeof verdict === "number" ? verdict : { program, maps, types: records?.types };
}
