/** Calls of helpers with arguments that fit a prototype, so that the kernel accepts them and shows which function it calls. */
import type { Argument, Context, ContextField, Prototype } from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import { SYSCALL_NUMBERS } from "../abi.ts";
import type { Kernel, Memory } from "../calls.ts";
import type { KernelMap } from "../maps.ts";
import type { Ask } from "./ask.ts";
import { type Materials, withMap } from "./maps.ts";
import {
  addImm,
  callHelper,
  closeNumber,
  copy,
  EXIT,
  insn,
  type Kind,
  load,
  loadMap,
  loads,
  open,
  setImm,
} from "./program.ts";

const CONTEXT = 6;
const SOCKET = 7;
const OBJECT = 8;
/** Zeroed bytes of the stack, from the frame pointer down. */
const STACK = 128;
/** A size that every memory argument may have. */
const SIZE = 8;

const HELPER = {
  skLookupTcp: 84,
  skRelease: 86,
  skFullsock: 95,
  ringbufDiscard: 133,
  taskBtf: 158,
  discardDynptr: 200,
} as const;

/** Instructions before a call, and what has to follow it so that nothing is left held. */
interface Prologue {
  readonly insns: readonly Uint8Array[];
  readonly end: readonly Uint8Array[];
}

/**
 * The context in r6, zeros on the stack, a socket in r7 and another object of the kernel's in r8 where the prototype takes one; `undefined` if
 * there is none to take.
 */
function prologue(trial: Trial, args: readonly Argument[]): Prologue | undefined {
  const insns = [copy(CONTEXT, 1)];
  const end: Uint8Array[] = [];
  const wanted = args.find(({ kind: each }) => NEEDS_SOCKET.has(each));
  const socket = wanted === undefined ? undefined : takeSocket(trial, wanted.kind === "socket");
  if (wanted !== undefined && socket === undefined) return undefined;
  if (socket?.end.length !== 0 || args.some((arg) => NEEDS_STACK.has(arg.kind))) {
    for (let at = 8; at <= STACK; at += 8) insns.push(insn(0x7a, 10, 0, -at, 0));
  }
  insns.push(...(socket?.insns ?? []));
  end.push(...(socket?.end ?? []));
  const object = args.find((arg) => arg.kind === "btf_id");
  if (object?.type !== undefined) {
    const taken = takeObject(trial, object.type);
    if (taken === undefined) return undefined;
    insns.push(...taken);
  }
  return { insns, end };
}

const NEEDS_STACK: ReadonlySet<Argument["kind"]> = new Set(["map_key", "map_value", "mem", "stack"]);
const NEEDS_SOCKET: ReadonlySet<Argument["kind"]> = new Set(["sock_common", "socket", "btf_id_sock_common"]);

/** Kernel structures that are sockets to a helper. */
const SOCKETS: ReadonlySet<string | undefined> = new Set(["sock", "sock_common", "tcp_sock"]);

/** Instructions that leave the program if a register is null. */
function orLeave({ retval }: Kind, register: number): Uint8Array[] {
  const leave = [setImm(0, retval), EXIT];
  return [insn(0x55, register, 0, leave.length, 0), ...leave];
}

/** A register = what a field of the context holds. */
function takeField(kind: Kind, field: ContextField, register: number): Uint8Array[] {
  const nullable = field.flags?.includes("ptr_maybe_null") === true;
  return [insn(0x79, register, CONTEXT, field.offset), ...(nullable ? orLeave(kind, register) : [])];
}

/** Bytes of an IPv4 `struct bpf_sock_tuple`. */
const TUPLE = 12;

/** r7 = a socket that the context holds, of the whole kind if `full`; else one that is looked up, where that is allowed. */
function takeSocket({ kind, context, allowed }: Trial, full: boolean): Prologue | undefined {
  const fields = context?.fields.filter(({ reads }) => reads.includes(8)) ?? [];
  const field =
    fields.find(({ value }) => value === "socket") ??
    fields.find(({ value }) => value === "sock_common") ??
    fields.find(({ value, type }) => value === "btf_id" && SOCKETS.has(type));
  if (field !== undefined) {
    const insns = takeField(kind, field, SOCKET);
    if (full && field.value === "sock_common") {
      insns.push(copy(1, SOCKET), callHelper(HELPER.skFullsock), ...orLeave(kind, 0), copy(SOCKET, 0));
    }
    return { insns, end: [] };
  }
  if (!allowed.includes(HELPER.skLookupTcp) || !allowed.includes(HELPER.skRelease)) return undefined;
  const insns = [
    copy(1, CONTEXT),
    copy(2, 10),
    addImm(2, -STACK),
    setImm(3, TUPLE),
    setImm(4, 0),
    setImm(5, 0),
  ];
  return {
    insns: [...insns, callHelper(HELPER.skLookupTcp), ...orLeave(kind, 0), copy(SOCKET, 0)],
    end: [copy(1, SOCKET), callHelper(HELPER.skRelease)],
  };
}

/** r8 = an object of the kernel's of the type: from the context, or the task that runs. */
function takeObject({ kind, context }: Trial, type: string): Uint8Array[] | undefined {
  const field = context?.fields.find(
    (each) => each.value === "btf_id" && each.type === type && each.reads.includes(8),
  );
  if (field !== undefined) return takeField(kind, field, OBJECT);
  return type === "task_struct" ? [callHelper(HELPER.taskBtf), copy(OBJECT, 0)] : undefined;
}

/** Whether the value in a map of the type is a socket. */
const HOLDS_SOCKETS: ReadonlySet<MapType | undefined> = new Set(["sockmap", "sockhash"]);

/** The arguments for a map of the type: where it holds sockets, its value is one. */
function withMapType(args: readonly Argument[], mapType: MapType | undefined): readonly Argument[] {
  if (!HOLDS_SOCKETS.has(mapType)) return args;
  return args.map((arg): Argument => (arg.kind === "map_value" ? { kind: "btf_id_sock_common" } : arg));
}

/** Puts into a register what the argument must be; `undefined` if there is nothing to put there. */
function argument(register: number, arg: Argument): readonly Uint8Array[] | undefined {
  if (arg.flags?.includes("obj_release") === true) return undefined;
  switch (arg.kind) {
    case "anything":
    case "scalar":
      return [setImm(register, 0)];
    case "ctx":
      return [copy(register, CONTEXT)];
    case "const_map_ptr":
      return loadMap(register, 0);
    case "map_value":
      if (arg.flags?.includes("ptr_maybe_null") === true) return [setImm(register, 0)];
      return [copy(register, 10), addImm(register, -STACK)];
    case "map_key":
    case "mem":
    case "stack":
      return [copy(register, 10), addImm(register, -STACK)];
    case "const_size":
    case "const_size_or_zero":
    case "const_alloc_size_or_zero":
      return [setImm(register, SIZE)];
    case "const_str":
      return [insn(0x18, register, 2, 0, 1), insn(0)];
    case "sock_common":
    case "socket":
    case "btf_id_sock_common":
      return [copy(register, SOCKET)];
    case "btf_id":
      return [copy(register, OBJECT)];
    case "dynptr":
      // The helper makes it there; others would want one that is made.
      return arg.flags?.includes("mem_uninit") === true
        ? [copy(register, 10), addImm(register, -STACK)]
        : undefined;
    case "arena":
    case "spin_lock":
    case "ringbuf_mem":
    case "percpu_btf_id":
    case "func":
    case "timer":
    case "kptr_xchg_dest":
      return undefined;
  }
}

/** The kernel's word for something that a program has got and not given back. */
export const LEFT_HELD = /Unreleased reference/;

/** What follows a call that gives something: a socket's release, a ring buffer record's, that of a dynptr of one. */
const CLEANUPS: readonly (readonly Uint8Array[])[] = [
  [insn(0x15, 0, 0, 2, 0), copy(1, 0), callHelper(HELPER.skRelease)],
  [insn(0x15, 0, 0, 3, 0), copy(1, 0), setImm(2, 0), callHelper(HELPER.ringbufDiscard)],
  [copy(1, 10), addImm(1, -STACK), setImm(2, 0), callHelper(HELPER.discardDynptr)],
];

export interface Trial {
  readonly kind: Kind;
  readonly context: Context | undefined;
  /** Ids of the helpers that programs of the kind may call. */
  readonly allowed: readonly number[];
  readonly id: number;
  /** Its arguments; the function does not matter. */
  readonly prototype: Prototype;
  /** Instructions after the call and its cleanup; r6 is the context. */
  readonly after?: readonly Uint8Array[];
  /** Instructions before it; r1 is the context and has to be left so. */
  readonly before?: readonly Uint8Array[];
}

/** Whether the prototype's arguments can be made for programs of the kind. */
export function isPossible(trial: Trial): boolean {
  const { args } = trial.prototype;
  return prologue(trial, args) !== undefined && args.every((arg, i) => argument(i + 1, arg) !== undefined);
}

/** A call that was tried. */
export interface Tried {
  readonly accepted: boolean;
  /** Why it was refused; empty if it could not be made. */
  readonly log: string;
  /** The distances of the functions that the program calls from the kernel's `__bpf_call_base`, if they were asked for. */
  readonly called: readonly number[];
}

const IMPOSSIBLE: Tried = { accepted: false, log: "", called: [] };

/** Loads a program that makes the call with a map of the type, where the prototype takes one. @param show whether to say which functions it calls */
export function* tryCall(
  kernel: Kernel,
  materials: Materials,
  trial: Trial,
  mapType: MapType | undefined,
  show = false,
): Ask<Tried> {
  const { kind, id, before = [], after = [] } = trial;
  const args = withMapType(trial.prototype.args, mapType);
  const start = prologue(trial, args);
  if (start === undefined) return IMPOSSIBLE;
  const registers: Uint8Array[] = [];
  for (const [index, arg] of args.entries()) {
    const insns = argument(index + 1, arg);
    if (insns === undefined) return IMPOSSIBLE;
    registers.push(...insns);
  }
  return yield* withMap(materials, mapType, function* (map): Ask<Tried> {
    const maps = [map ?? materials.text, materials.text];
    const programOf = (cleanup: readonly Uint8Array[]): Uint8Array[] => [
      ...before,
      ...start.insns,
      ...registers,
      callHelper(id),
      ...cleanup,
      ...start.end,
      ...after,
    ];
    let insns = programOf([]);
    const { accepted, log } = yield* load(kernel, kind, insns, { maps });
    let works = accepted;
    for (const cleanup of LEFT_HELD.test(log) ? CLEANUPS : []) {
      if (works) break;
      insns = programOf(cleanup);
      works = yield* loads(kernel, kind, insns, { maps });
    }
    if (!works) return { accepted: false, log, called: [] };
    return { accepted: true, log: "", called: show ? yield* calledFunctions(kernel, kind, insns, maps) : [] };
  });
}

export const takesMap = ({ args }: Prototype): boolean => args.some(({ kind }) => kind === "const_map_ptr");

// --- What the kernel made of a program

const BPF_OBJ_GET_INFO_BY_FD = 15;
/** `struct bpf_prog_info`: its first fields, up to the pointer to the translated instructions. */
const INFO = { size: 40, xlatedLength: 20, xlated: 32 } as const;
const MOST = 1 << 12;

/** What an accepted program calls; helpers that became something else than a call are not among it. */
function* calledFunctions(
  kernel: Kernel,
  kind: Kind,
  program: readonly Uint8Array[],
  maps: readonly KernelMap[],
): Ask<number[]> {
  const fd = yield* open(kernel, kind, program, { maps });
  if (fd === undefined) throw new Error(`${kernel.name} refuses what it has accepted`);
  const number = SYSCALL_NUMBERS[kernel.arch];
  if (number === undefined) throw new Error(`bpf(2) on ${kernel.arch} is not supported`);
  const xlated: Memory = { bytes: new Uint8Array(MOST), back: "all" };
  const info = new Uint8Array(INFO.size);
  const infoView = new DataView(info.buffer);
  infoView.setUint32(INFO.xlatedLength, MOST, true);
  const attribute = new Uint8Array(16);
  const view = new DataView(attribute.buffer);
  view.setUint32(0, fd, true);
  view.setUint32(4, INFO.size, true);
  const pointers = [[8, { bytes: info, back: "all", pointers: [[INFO.xlated, xlated]] }]] as const;
  const [outcome] = yield [
    {
      number,
      arguments: [BPF_OBJ_GET_INFO_BY_FD, { bytes: attribute, back: "all", pointers }, attribute.length],
    },
    { number: closeNumber(kernel), arguments: [fd] },
  ];
  if (outcome?.errno !== 0) throw new Error(`${kernel.name} does not show a program's instructions`);
  const length = Math.min(infoView.getUint32(INFO.xlatedLength, true), MOST);
  const insns = new DataView(xlated.bytes.buffer);
  const calls: number[] = [];
  for (let at = 0; at + 8 <= length; at += 8) {
    const opcode = insns.getUint8(at);
    if (opcode === 0x85 && insns.getUint8(at + 1) >> 4 === 0) calls.push(insns.getInt32(at + 4, true));
    if (opcode === 0x18) at += 8;
  }
  return calls;
}
