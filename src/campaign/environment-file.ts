/** Files that say what a run depends on beside program and maps (`soundcheck run --environment`): an `Environment` as JSON, bytes in hex. */
import { z } from "zod";
import { parseJson } from "../object/json.ts";
import { explain, hex, u32 } from "../object/schema.ts";
import { InputError } from "../semantics/errors.ts";
import type { Network } from "../vm/environment/network.ts";
import type { PacketSocket } from "../vm/environment/socket-buffer.ts";
import type { SOCKET_STATES, Socket } from "../vm/environment/sockets.ts";
import type { ObjectInMemory } from "../vm/environment/tracing.ts";
import type { Environment } from "../vm/environment.ts";
import { ipAddress, ipPrefix, linkAddress } from "./addresses.ts";

const U64_MAX = 2n ** 64n - 1n;

/** A number of up to 64 bits: as JSON has numbers, or as text, decimal or hexadecimal with `0x`, where those are too short. */
const u64 = z.union([z.int().min(0), z.string()], "not a number").transform((given, context): bigint => {
  const isNumber = typeof given === "number" || /^(?:0x[0-9a-fA-F]+|[0-9]+)$/.test(given);
  const value = isNumber ? BigInt(given) : -1n;
  if (value >= 0n && value <= U64_MAX) return value;
  context.addIssue(isNumber ? "more than 64 bits" : `${JSON.stringify(given)} is not a number`);
  return z.NEVER;
});

const taskFields = {
  pid: u32,
  tgid: u32,
  uid: u32,
  gid: u32,
  comm: z.string().refine((text) => new TextEncoder().encode(text).length < 16, "more than 15 bytes"),
};
const addresses = { address: u64.optional(), registers: u64.optional() };

const ROUTE_TYPES = [
  "unicast",
  "local",
  "broadcast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
] as const;

/** Names of the states, as a list that a schema takes. */
const STATES = [
  "established",
  "syn_sent",
  "syn_recv",
  "fin_wait1",
  "fin_wait2",
  "time_wait",
  "close",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
  "new_syn_recv",
] as const satisfies readonly (keyof typeof SOCKET_STATES)[];

const end = z.strictObject({ address: ipAddress, port: z.int().min(0).max(0xffff) });

const socketSchema = z.strictObject({
  protocol: z.enum(["tcp", "udp", "other"]),
  state: z.enum(STATES),
  local: end,
  remote: end.optional(),
  ipv6_only: z.boolean().optional(),
  bound_to: u32.optional(),
  mark: u32.optional(),
  priority: u32.optional(),
  /** Values of `struct bpf_tcp_sock`, by the fields' names. */
  tcp: z.record(z.string(), u64).optional(),
});

const networkSchema = z.strictObject({
  devices: z
    .array(
      z.strictObject({
        ifindex: u32.min(1),
        name: z.string(),
        mtu: u32,
        address: linkAddress,
        up: z.boolean().optional(),
        forwards: z.strictObject({ ipv4: z.boolean(), ipv6: z.boolean() }).optional(),
      }),
    )
    .optional(),
  routes: z
    .array(
      z.strictObject({
        to: ipPrefix,
        ifindex: u32,
        table: u32.optional(),
        type: z.enum(ROUTE_TYPES).optional(),
        metric: u32.optional(),
        gateway: ipAddress.optional(),
        source: ipAddress.optional(),
        mtu: u32.optional(),
      }),
    )
    .optional(),
  neighbours: z
    .array(z.strictObject({ ifindex: u32.min(1), address: ipAddress, link_address: linkAddress }))
    .optional(),
  sockets: z.array(socketSchema).optional(),
  cookie: u64.optional(),
  classid: u32.optional(),
});

/** An object of the kernel's: bytes of it that programs may store into. */
const objectSchema = z.strictObject({
  address: u64,
  size: u32,
  stores: z.array(z.strictObject({ offset: u32, size: u32 })),
});

const STORES = [1, 2, 4, 8] as const;

function objectFrom({ address, size, stores }: z.infer<typeof objectSchema>): ObjectInMemory {
  const fields = stores.map(({ offset, size: bytes }) => ({
    name: `at ${offset}`,
    offset,
    size: bytes,
    value: "scalar" as const,
    reads: [],
    writes: STORES,
  }));
  return { address, layout: { struct: "object", size, fields } };
}

/** What a file may say; the names of `Environment`, with underscores. */
export const environmentSchema = z.strictObject({
  packet: hex.optional(),
  context: hex.optional(),
  /** How many processors there are. */
  cpus: z.int().min(1).max(1024).optional(),
  cpu: z.int().min(0).optional(),
  clock_ns: u64.optional(),
  wall_clock_ns: u64.optional(),
  seed: z.int().optional(),
  task: z
    .strictObject({ ...taskFields, ...addresses })
    .partial()
    .optional(),
  other_tasks: z.array(z.strictObject({ ...taskFields, ...addresses })).optional(),
  cgroups: z.array(u64).min(1).optional(),
  network: networkSchema.optional(),
  hook_socket: z.strictObject({ cookie: u64, uid: u32, socket: socketSchema.optional() }).optional(),
  memory: z.array(z.strictObject({ address: u64, bytes: hex, read_only: z.boolean().optional() })).optional(),
  unknown_memory: z.int().optional(),
  objects: z.array(objectSchema).optional(),
  context_address: u64.optional(),
  variables: z.array(z.strictObject({ name: z.string(), address: u64 })).optional(),
  map_addresses: z.record(z.string(), u64).optional(),
  processor_offsets: z.array(u64).optional(),
  functions: z.array(z.strictObject({ name: z.string(), address: u64, size: u32 })).optional(),
  pid_namespace: z.strictObject({ device: u64, inode: u64 }).optional(),
  tracepoint_record: hex.optional(),
  kernel_stack: z.array(u64).optional(),
  user_stack: z.array(u64).optional(),
  attachment: z.strictObject({ cookie: u64.optional(), function_address: u64.optional() }).optional(),
  hook_result: z.int().optional(),
  counters: z
    .record(
      z.string(),
      z.record(
        z.string().regex(/^[0-9]+$/, "not an index"),
        z.strictObject({ counter: u64, enabled: u64, running: u64 }),
      ),
    )
    .optional(),
});

type EnvironmentFile = z.infer<typeof environmentSchema>;

/** An environment, and how many processors the machine has. */
export interface GivenEnvironment {
  readonly environment: Environment;
  readonly cpus: number | undefined;
}

/** Leaves out what is undefined: an environment has no such fields. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly the entries that the filter leaves
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function socketFrom(file: z.infer<typeof socketSchema>): Socket {
  const { protocol, state, local, remote, ipv6_only, bound_to, mark, priority, tcp } = file;
  const more = present({ remote, ipv6Only: ipv6_only, boundTo: bound_to, mark, priority, tcp });
  return { protocol, state, local, ...more };
}

function networkFrom({
  devices,
  routes,
  neighbours,
  sockets,
  ...rest
}: z.infer<typeof networkSchema>): Network {
  return {
    ...present(rest),
    ...present({
      devices: devices?.map(({ ifindex, name, mtu, address, ...more }) => ({
        ifindex,
        name,
        mtu,
        address,
        ...present(more),
      })),
      routes: routes?.map(({ to, ifindex, ...more }) => ({ ...to, ifindex, ...present(more) })),
      neighbours: neighbours?.map(({ ifindex, address, link_address }) => ({
        ifindex,
        address,
        linkAddress: link_address,
      })),
      sockets: sockets?.map(socketFrom),
    }),
  };
}

function hookSocketFrom({ cookie, uid, socket }: NonNullable<EnvironmentFile["hook_socket"]>): PacketSocket {
  return { cookie, uid, ...(socket === undefined ? {} : { socket: socketFrom(socket) }) };
}

/** The environment that a file's value stands for. */
export function environmentFrom(file: EnvironmentFile): GivenEnvironment {
  const { task, other_tasks, memory, attachment } = file;
  const environment: Environment = present({
    packet: file.packet,
    context: file.context,
    cpu: file.cpu,
    clockNs: file.clock_ns,
    wallClockNs: file.wall_clock_ns,
    seed: file.seed,
    task: task === undefined ? undefined : present(task),
    otherTasks: other_tasks?.map(({ pid, tgid, uid, gid, comm, ...rest }) => ({
      pid,
      tgid,
      uid,
      gid,
      comm,
      ...present(rest),
    })),
    cgroups: file.cgroups,
    network: file.network === undefined ? undefined : networkFrom(file.network),
    hookSocket: file.hook_socket === undefined ? undefined : hookSocketFrom(file.hook_socket),
    memory: memory?.map(({ address, bytes, read_only }) => ({
      address,
      bytes,
      ...(read_only === undefined ? {} : { readOnly: read_only }),
    })),
    unknownMemory: file.unknown_memory,
    objects: file.objects?.map(objectFrom),
    contextAddress: file.context_address,
    variables: file.variables,
    mapAddresses: file.map_addresses,
    processorOffsets: file.processor_offsets,
    functions: file.functions,
    pidNamespace: file.pid_namespace,
    tracepointRecord: file.tracepoint_record,
    kernelStack: file.kernel_stack,
    userStack: file.user_stack,
    attachment:
      attachment === undefined
        ? undefined
        : present({ cookie: attachment.cookie, functionAddress: attachment.function_address }),
    hookResult: file.hook_result,
    counters: file.counters,
  });
  return { environment, cpus: file.cpus };
}

/** @throws InputError  with the place of what does not fit */
export function readEnvironment(text: string): GivenEnvironment {
  const parsed = environmentSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new InputError(explain(parsed.error, "environment"));
  return environmentFrom(parsed.data);
}
