/**
 * The state of a run: registers with their provenance, stack frames, and the regions that pointers may point to.
 */
import { MAX_LOOPS } from "../semantics/helpers/callbacks.ts";
import { MAP_FLAGS } from "../semantics/program/map-types.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Environment } from "./environment.ts";
import { fault } from "./fault.ts";
import { FRAME, setDepth, setFrameWord } from "./frame-record.ts";
import { MemoryImage } from "./image.ts";
import type { Input } from "./input.ts";
import { LateMap } from "./late-map.ts";
import type { LoadedProgram, MapStorage } from "./maps/map.ts";
import type { MapValue } from "./maps/storage.ts";
import { FRAME_POINTER, MAX_FRAMES, memoryWords, TAGS_AT } from "./memory.ts";
import { Slots } from "./objects/slots.ts";
import { Things } from "./objects/things.ts";
import type { Packet } from "./packet.ts";
import { processor } from "./processor.ts";
import { addressIn, type Place, type Region, regionOf, SCALAR, UNINITIALISED } from "./region.ts";
import { RECORD } from "./region-record.ts";
import { Sockets } from "./sockets.ts";

/** Registers that a subprogram gives back as it found them. */
const FIRST_SAVED = 6;
const SAVED = FRAME_POINTER - FIRST_SAVED;

/** What can be chosen for a run beside its environment. */
export interface RunOptions {
  /** Instructions after which the run ends with a fault. */
  readonly budget: number;
  /**
   * What reading stack that was never written is: `fault`, or `allow` (it reads as what an earlier subprogram left there, at first zeros), as
   * Linux permits privileged programs to do.
   */
  readonly uninitialisedStack: UninitialisedStack;
  /** Whether generated code executes what it can; else every instruction is executed by its definition. */
  readonly generated: boolean;
}

export type UninitialisedStack = "fault" | "allow";

/** A register's 64 bits and their provenance. */
export interface RegisterCopy {
  readonly value: bigint;
  readonly tag: Region;
}

/** A helper's call that calls a function of the program again and again (helpers/callback.ts). */
export interface CallInProgress {
  /** The function's first instruction. */
  readonly entry: number;
  /** What sets the function's arguments in its frame, the next time that it is called; nothing if there is no more to call it for. */
  readonly next: (index: number) => (() => void) | undefined;
  /** How often the function will be called at most, and how often it has been. */
  left: number;
  /** It is `next` that says when there is no more, even if none is left. */
  readonly unbounded: boolean;
  done: number;
  /** Takes the function's result; says whether that is the end. */
  readonly answer: (r0: bigint) => boolean;
  stopped: boolean;
  /** What the helper returns in the end. */
  readonly result: (done: number) => number;
  /** r1 … r5 of the call. */
  readonly arguments: readonly RegisterCopy[];
}

export interface Frame {
  /** The program that this frame returns into, and where. */
  readonly caller: LoadedProgram;
  readonly returnTo: number;
  /** r6 … r9 of the caller, in halves, and their regions. */
  readonly saved: readonly number[];
  readonly savedTags: readonly Region[];
  stack: Region;
  /** How often may_goto may still fall through. */
  loopsLeft: number;
  /** The call that its function has made and that is not over. */
  calling: CallInProgress | undefined;
}

/** Where a register's tag is in `memoryWords`. */
const tagAt = (register: number): number => (TAGS_AT + 8 * register) >> 2;
const NO_BYTES = new Uint8Array(0);
/** What a frame saves whose caller keeps its registers itself. */
const NOTHING_SAVED = {
  saved: Array.from({ length: 2 * SAVED }, () => 0),
  savedTags: Array.from({ length: SAVED }, () => UNINITIALISED),
};

/** The memory of frames of one depth, and the last one's region. */
interface StackMemory {
  readonly at: number;
  region: Region;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A copy in an array that costs less to make than a typed one. */
function numbersIn(words: Int32Array, from: number, to: number): readonly number[] {
  const copy: number[] = [];
  for (let i = from; i < to; i += 1) copy.push(words[i] ?? 0);
  return copy;
}

export class State {
  readonly words = processor().words;
  readonly quads = processor().quads;
  readonly environment: Environment;
  readonly options: RunOptions;
  readonly input: Input;
  /** The program that runs: tail calls change it. */
  loaded: LoadedProgram;
  /** The current instruction, kept up to date for helpers and observers only. */
  pc = 0;
  /** Instructions executed, likewise. */
  steps = 0;
  /** How often `unwind` has been called. */
  unwindings = 0;
  /** Where regions are made that are neither the stack's nor a map's. */
  readonly space: AddressSpace;
  readonly things: Things;
  /** What pointers to sockets lead to. */
  readonly sockets: Sockets;
  /** The memory around the program. */
  readonly image: MemoryImage;
  /** A pointer may have been loaded that the image has nothing for. */
  lostKernelPointer = false;
  /** What the kernel keeps on the stack. */
  readonly slots = new Slots();
  readonly #frames: Frame[] = [];
  readonly #stacks: StackMemory[] = [];
  readonly #values = new LateMap<MapValue, Region>();
  readonly #maps = new LateMap<MapStorage, Region>();
  readonly #keys = new LateMap<MapStorage, Map<string, Region>>();
  readonly #functions = new LateMap<number, Region>();
  #kernel: Region | undefined;
  #arena: Region | undefined;

  constructor(
    loaded: LoadedProgram,
    space: AddressSpace,
    input: Input,
    environment: Environment,
    options: RunOptions,
  ) {
    this.loaded = loaded;
    this.space = space;
    this.things = new Things(space);
    this.sockets = new Sockets(space);
    this.image = new MemoryImage(environment.memory);
    this.input = input;
    this.environment = environment;
    this.options = options;
    this.push(0);
    this.setPointer(1, input.context.region, 0);
  }

  get packet(): Packet | undefined {
    return this.input.packet;
  }

  // --- Registers

  /** Its region. */
  tag(register: number): Region {
    return regionOf(memoryWords[tagAt(register)] ?? 0);
  }

  setTag(register: number, { record }: Region): void {
    memoryWords[tagAt(register)] = record;
  }

  #clearTags(from: number, to: number): void {
    for (let register = from; register < to; register += 1)
      memoryWords[tagAt(register)] = UNINITIALISED.record;
  }

  /** The register's value as an address in `region`: the offset. */
  offset(register: number, region: Region): number {
    return region.offsetOf(this.words[2 * register] ?? 0, this.words[2 * register + 1] ?? 0);
  }

  /** Unsigned 64 bits. */
  value(register: number): bigint {
    return this.quads[register] ?? 0n;
  }

  setNumber(register: number, value: bigint): void {
    this.quads[register] = BigInt.asUintN(64, value);
    this.setTag(register, SCALAR);
  }

  setPointer(register: number, region: Region, offset: number): void {
    const { low, high } = addressIn(region, offset);
    this.words[2 * register] = low;
    this.words[2 * register + 1] = high;
    this.setTag(register, region);
  }

  copyOf(register: number): RegisterCopy {
    return { value: this.value(register), tag: this.tag(register) };
  }

  setCopy(register: number, { value, tag }: RegisterCopy): void {
    this.quads[register] = value;
    this.setTag(register, tag);
  }

  /** After a call r1 … r5 hold nothing. */
  scratch(): void {
    this.#clearTags(1, FIRST_SAVED);
  }

  // --- Frames

  /** 0 in the main program. */
  get depth(): number {
    return this.#frames.length - 1;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  get frame(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw new Error("a run has at least the main program's frame");
    return frame;
  }

  /** Enters a function that returns to slot `returnTo` of the current program: only its arguments hold anything. */
  push(returnTo: number): void {
    if (this.#frames.length === MAX_FRAMES)
      fault("call_depth", `call: ${MAX_FRAMES} frames are in use already`);
    const low = 2 * FIRST_SAVED;
    this.#frames.push({
      caller: this.loaded,
      returnTo,
      saved: numbersIn(this.words, low, low + 2 * SAVED),
      savedTags: [this.tag(6), this.tag(7), this.tag(8), this.tag(9)],
      stack: this.#newStack(this.#frames.length),
      loopsLeft: MAX_LOOPS,
      calling: undefined,
    });
    setDepth(this.depth);
    setFrameWord(this.depth, FRAME.pending, 0);
    this.#clearTags(0, 1);
    this.#clearTags(FIRST_SAVED, FRAME_POINTER);
    this.setPointer(FRAME_POINTER, this.frame.stack, 0);
  }

  /** Takes over a frame that compiled code has entered: it has its stack, and its caller keeps its registers itself. */
  adopt(returnTo: number): void {
    const stack = this.#stacks[this.#frames.length]?.region;
    if (stack === undefined) throw new Error("a frame that was entered has a stack");
    this.#frames.push({
      caller: this.loaded,
      returnTo,
      ...NOTHING_SAVED,
      stack,
      loopsLeft: MAX_LOOPS,
      calling: undefined,
    });
    setFrameWord(this.depth, FRAME.pending, 0);
  }

  /** Forgets frames that compiled code has left, down to a depth. Whatever called them is over. */
  forget(depth: number): void {
    this.#frames.length = depth + 1;
    this.frame.calling = undefined;
  }

  /** Leaves the current function; its frame's memory is gone. */
  pop(): number {
    const frame = this.#frames.pop();
    if (frame === undefined) throw new Error("no frame to leave");
    setDepth(this.depth);
    frame.stack.live = false;
    if (this.tag(0) === frame.stack) memoryWords[(frame.stack.record + RECORD.escaped) >> 2] = 1;
    this.loaded = frame.caller;
    this.words.set(frame.saved, 2 * FIRST_SAVED);
    for (let i = 0; i < SAVED; i += 1) this.setTag(FIRST_SAVED + i, frame.savedTags[i] ?? UNINITIALISED);
    this.scratch();
    this.setPointer(FRAME_POINTER, this.frame.stack, 0);
    if (this.frame.calling !== undefined) this.#answer(this.frame.calling);
    return frame.returnTo;
  }

  /** A function that a helper has called has returned: the call goes on, with its own arguments. */
  #answer(calling: CallInProgress): void {
    if (this.tag(0) === UNINITIALISED)
      fault("uninitialised_register", "exit of a callback: r0 is not initialised");
    if (calling.answer(this.value(0))) calling.stopped = true;
    this.#clearTags(0, 1);
    for (const [i, copy] of calling.arguments.entries()) this.setCopy(i + 1, copy);
  }

  /** Leaves all functions for one of the main program, which takes its place: an exception. Gives nothing back. */
  unwind(): void {
    this.unwindings += 1;
    const main = this.#frames[1]?.caller ?? this.loaded;
    for (const { stack } of this.#frames.splice(1)) stack.live = false;
    setDepth(0);
    this.replace(main);
  }

  /** A tail call: the current function becomes the main function of another program, with a stack of its own. */
  replace(loaded: LoadedProgram): void {
    const { frame } = this;
    this.loaded = loaded;
    frame.stack.live = false;
    frame.stack = this.#newStack(this.depth);
    frame.loopsLeft = MAX_LOOPS;
    this.#clearTags(0, FRAME_POINTER);
    this.setPointer(1, this.input.context.region, 0);
    this.setPointer(FRAME_POINTER, frame.stack, 0);
  }

  /**
   * The stack of a new frame. It is the region of the last frame of this depth, unless somebody may still have a pointer into that: nothing in a caller's registers can be
   * one, so it is enough to watch the stacks and the result.
   */
  #newStack(frame: number): Region {
    const known = this.#stacks[frame];
    if (known === undefined) {
      const at = this.space.takeStack();
      const region = this.space.stackRegion(at, frame);
      this.#stacks[frame] = { at, region };
      setFrameWord(frame, FRAME.stack, region.record);
      return region;
    }
    const { at, region } = known;
    if (memoryWords[(region.record + RECORD.escaped) >> 2] !== 0) {
      known.region = this.space.stackRegion(at, frame);
      setFrameWord(frame, FRAME.stack, known.region.record);
    } else {
      region.live = true;
      region.shadow?.clear();
    }
    return known.region;
  }

  /** The region of pointers into the program's arena, which are numbers as they are. */
  get arenaRegion(): Region {
    this.#arena ??= this.opaqueRegion({ kind: "arena" });
    return this.#arena;
  }

  /** The region of pointers into the kernel's memory, which are addresses as they are. */
  get kernelRegion(): Region {
    this.#kernel ??= this.opaqueRegion({ kind: "kernel_memory" });
    return this.#kernel;
  }

  setKernelPointer(register: number, address: bigint): void {
    this.quads[register] = BigInt.asUintN(64, address);
    this.setTag(register, this.kernelRegion);
  }

  /** A region for something that has an address and no bytes. */
  opaqueRegion(place: Place): Region {
    return this.space.region({ place, bytes: NO_BYTES });
  }

  // --- Maps

  /** The map that index `index` of the current program's maps stands for. */
  map(index: number): MapStorage {
    const map = this.loaded.maps[index];
    if (map === undefined)
      return fault("invalid_instruction", `map ${index}: the program has ${this.loaded.maps.length}`);
    return map;
  }

  /** The region of the map itself. */
  mapRegion(map: MapStorage): Region {
    let region = this.#maps.get(map);
    if (region === undefined) {
      const place = { kind: "map", map: map.definition.name } as const;
      region = this.space.region({ place, bytes: NO_BYTES, map });
      this.#maps.set(map, region);
    }
    return region;
  }

  /** The region of the function of the current program that begins at a slot. */
  functionRegion(slot: number): Region {
    let region = this.#functions.get(slot);
    if (region === undefined) {
      region = this.space.region({ place: { kind: "function", slot }, bytes: NO_BYTES });
      this.#functions.set(slot, region);
    }
    return region;
  }

  /** The region of a key that a function is called with: one for each key and run. */
  keyRegion(map: MapStorage, key: Uint8Array): Region {
    const keys = this.#keys.get(map) ?? new Map<string, Region>();
    this.#keys.set(map, keys);
    const text = hex(key);
    let region = keys.get(text);
    if (region === undefined) {
      const place = { kind: "map_key", map: map.definition.name } as const;
      region = this.space.region({ place, bytes: key, writable: false });
      keys.set(text, region);
    }
    return region;
  }

  /** The region of a value, which until the run ends is its bytes themselves: one for each value and run. */
  valueRegion({ definition }: MapStorage, key: Uint8Array, value: MapValue): Region {
    let region = this.#values.get(value);
    if (region === undefined) {
      const { name, flags, fields = [] } = definition;
      const parts = {
        place: { kind: "map_value", map: name, key: hex(key) },
        readable: (flags & MAP_FLAGS.wronly_prog) === 0,
        writable: (flags & MAP_FLAGS.rdonly_prog) === 0,
      } as const;
      region =
        fields.length === 0
          ? this.space.borrow(value, parts)
          : this.things.valueRegion(value, fields, (keeps) => this.space.borrow(value, { ...parts, keeps }));
      this.#values.set(value, region);
    }
    return region;
  }
}
