import { ALLOWED, SLEEPING } from "../helpers/allow-table.ts";
import { HELPER_NAMES } from "../helpers/names.ts";
import { prototypeOf } from "../helpers/prototypes.ts";
import { contextOf } from "../program/contexts.ts";
import type { MapType } from "../program/map-types.ts";
import { MAP_TYPES } from "../program/map-types.ts";
import { PROGRAM_TYPES } from "../program/program-types.ts";
import { idsOf } from "./lookup.ts";
import type { Argument, Context, HelperFacts, Profile, ProgramFacts, Prototype } from "./profile.ts";

const ARGS: Record<string, Argument> = {
  context: { kind: "ctx" },
  map: { kind: "const_map_ptr" },
  key: { kind: "map_key" },
  value: { kind: "map_value" },
  bytes: { kind: "mem", flags: ["mem_rdonly"] },
  bytes_or_null: { kind: "mem", flags: ["mem_rdonly", "ptr_maybe_null"] },
  bytes_out: { kind: "mem", flags: ["mem_uninit", "mem_write"] },
  size: { kind: "const_size" },
  size_or_zero: { kind: "const_size_or_zero" },
  anything: { kind: "anything" },
};
const sleeping = new Set(idsOf(SLEEPING));
const helpers: HelperFacts[] = [...HELPER_NAMES.entries()].map(([id, name]) => {
  const p = prototypeOf(id);
  const prototype: Prototype | undefined = p && {
    func: `bpf_${name}`,
    args: p.arguments.map((a) => ARGS[a] ?? { kind: "anything" }),
    returns:
      p.returns === "number"
        ? { kind: "integer" }
        : p.returns === "nothing"
          ? { kind: "void" }
          : { kind: "map_value", flags: ["ptr_maybe_null"] },
    ...(p.packetMemory ? { packetMemory: true as const } : {}),
    ...(sleeping.has(id) ? { sleeps: true as const } : {}),
  };
  const maps = p?.maps as readonly MapType[] | undefined;
  return {
    id,
    name: name as string,
    prototypes: prototype ? [prototype] : [],
    ...(maps ? { maps } : {}),
    ...(p?.changesPacket ? { changesPacket: true as const } : {}),
  };
});
const contexts: Record<string, Context> = {};
const programs: Record<string, ProgramFacts> = {};
for (const [key, [everybody, gplOnly]] of Object.entries(ALLOWED)) {
  const [t, attach] = key.split("/");
  const type = PROGRAM_TYPES.find((x) => x === t);
  if (!type) continue;
  const layout = contextOf(type, attach as never);
  if (!layout) continue;
  contexts[key] = {
    struct: layout.struct,
    size: layout.size,
    fields: layout.fields.map((f) => ({
      ...f,
      value: f.kind === "sock_common_or_null" ? "sock_common" : f.kind,
      ...(f.kind === "sock_common_or_null" ? { flags: ["ptr_maybe_null"] as const } : {}),
    })),
  };
  programs[key] = {
    type,
    context: key,
    packet: layout.packet,
    helpers: { everybody, gplOnly },
    ...(key === "cgroup_skb"
      ? { returns: [0, 1] as const }
      : key === "cgroup_skb/cgroup_inet_egress"
        ? { returns: [0, 3] as const }
        : {}),
  };
}
export const DEFAULT_PROFILE: Profile = {
  kernel: "6.18",
  release: "6.18",
  arch: "x64",
  limits: { insns: 1_000_000, stack: 512, frames: 8, processed: 1_000_000 },
  unknownInstructions: [],
  contextStoresImmediate: true,
  helpers,
  contexts,
  programs,
  attachTypes: Object.fromEntries(PROGRAM_TYPES.map((t) => [t, "any" as const])),
  maps: MAP_TYPES.map((type) => ({ type, key: 4, value: 4, entries: 1, flags: 0 })),
  kfuncs: [],
};
