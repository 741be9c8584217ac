/**
 * Terms as WebAssembly: functions that read their variables from parameters and memory and write terms back. What the verifier and the
 * machine run.
 */
import { emit, type Store } from "../wasm/emit.ts";
import { bind } from "../wasm/engine.ts";
import { FunctionBuilder } from "../wasm/function.ts";
import { Graph, type Value } from "../wasm/graph.ts";
import type { LoadName, StoreName, ValueType } from "../wasm/instructions.ts";
import { encodeFunctions } from "../wasm/module.ts";
import { constant, TermError, zext } from "./build.ts";
import { Lowering, typeOf } from "./lower.ts";
import type { Term } from "./node.ts";

type ByteCount = 1 | 2 | 4 | 8;

/** Where a variable comes from; if there are more bits than it has, their low ones. Parameters may be locals as well, where the code has any. */
export type Source =
  | { readonly kind: "parameter"; readonly index: number }
  | {
      readonly kind: "memory";
      /** Index of the parameter (an i32) that holds the address. */
      readonly pointer: number;
      /** In bytes, 0 or more. */
      readonly offset: number;
      readonly bytes: ByteCount;
    };

/** Where a term goes, zero-extended, in little-endian order. */
export interface Sink {
  readonly pointer: number;
  readonly offset: number;
  readonly bytes: ByteCount;
}

/** What is computed from what. */
export interface Computation {
  /** Every free variable of the outputs and the result; each of at most 64 bits. */
  readonly inputs: readonly (readonly [Term, Source])[];
  /** All inputs are read before any output is written, so the two may share memory. */
  readonly outputs: readonly (readonly [Term, Sink])[];
  /** Returned as an i32 (a number from -2^31) for up to 32 bits, else as an i64 (a bigint from -2^63); zero-extended. */
  readonly result?: Term;
}

export interface FunctionSpec extends Computation {
  readonly name: string;
  /** Pointers are i32. */
  readonly parameters: readonly ValueType[];
}

/** An exported function; i32 is `number`, i64 `bigint`. */
export type Compiled = (...args: readonly (number | bigint)[]) => number | bigint | undefined;

function inputValue(graph: Graph, code: FunctionBuilder, term: Term, source: Source): Value {
  const type = typeOf(term.width);
  if (source.kind === "memory") {
    const { pointer, offset, bytes } = source;
    requirePointer(code, pointer);
    const wanted = type === "i32" ? Math.min(4, bytes) : bytes;
    const name: LoadName =
      wanted * 8 === (type === "i32" ? 32 : 64) ? `${type}.load` : loadName(type, wanted);
    return graph.load(type, name, 8 * wanted, pointer, offset);
  }
  const given = code.typeOf(source.index);
  const value = graph.parameter(given, source.index);
  if (given === type) return value;
  return graph.unary(type === "i32" ? "i32.wrap_i64" : "i64.extend_i32_u", value);
}

function loadName(type: ValueType, bytes: number): LoadName {
  if (bytes === 1) return `${type}.load8_u`;
  if (bytes === 2) return `${type}.load16_u`;
  return "i64.load32_u";
}

function requirePointer(code: FunctionBuilder, index: number): void {
  if (code.typeOf(index) !== "i32") throw new TermError(`${code.name}: parameter ${index} is no pointer`);
}

function outputStore(lowering: Lowering, code: FunctionBuilder, term: Term, sink: Sink): Store {
  const { pointer, offset, bytes } = sink;
  requirePointer(code, pointer);
  if (term.width > 8 * bytes)
    throw new TermError(`${code.name}: ${term.width} bits do not fit into ${bytes} bytes`);
  const extended = bytes === 8 ? zext(64, term) : term;
  const value = extended.width === 8 * bytes ? lowering.raw(extended) : lowering.zero(extended);
  return { value, name: storeName(value.type, bytes), pointer, offset };
}

function storeName(type: ValueType, bytes: ByteCount): StoreName {
  if (bytes === 1) return `${type}.store8`;
  if (bytes === 2) return `${type}.store16`;
  if (bytes === 8) return "i64.store";
  return type === "i32" ? "i32.store" : "i64.store32";
}

/** Writes the code of a computation, which leaves the result, if any, on the stack. Throws `TermError` on a wrong one. */
export function emitComputation(code: FunctionBuilder, { inputs, outputs, result }: Computation): void {
  const graph = new Graph();
  const sources = new Map(inputs);
  const lowering = new Lowering(graph, (variable) => {
    const source = sources.get(variable);
    if (source === undefined)
      throw new TermError(
        `${code.name}: no source for ${variable.op === "var" ? variable.name : "a variable"}`,
      );
    return inputValue(graph, code, variable, source);
  });
  const stores = outputs.map(([term, sink]) => outputStore(lowering, code, term, sink));
  code.scope(() => {
    emit(code, stores, result === undefined ? undefined : lowering.zero(result));
  });
}

function compileFunction(spec: FunctionSpec): FunctionBuilder {
  const { name, parameters, result } = spec;
  const code = new FunctionBuilder(name, parameters, result === undefined ? [] : [typeOf(result.width)]);
  emitComputation(code, spec);
  return code;
}

/** A module that imports the memory "env"."memory" and exports each function by its name. Throws `TermError` on a wrong spec. */
export const encodeModule = (specs: readonly FunctionSpec[]): Uint8Array =>
  encodeFunctions(specs.map(compileFunction));

/** An exported function of addresses alone. Called as it is: a wrapper would cost more than a small function. */
export type OnAddresses = (...addresses: readonly number[]) => number;

/**
 * As `instantiate`, for functions whose parameters are all i32 and whose results, if any, have at most 32 bits; those without a result
 * return 0. Throws `TermError` for others.
 */
export function instantiateOnAddresses(
  specs: readonly FunctionSpec[],
  memory: WebAssembly.Memory,
): ReadonlyMap<string, OnAddresses> {
  const checked = specs.map((spec) => {
    const { name, parameters, result = constant(32, 0) } = spec;
    if (parameters.includes("i64") || result.width > 32)
      throw new TermError(`${name}: not a function of addresses to a number`);
    return { ...spec, result };
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked: i32 is number
  return instantiate(checked, memory) as ReadonlyMap<string, OnAddresses>;
}

/** Compiles the functions and binds them to `memory`, synchronously. */
export function instantiate(
  specs: readonly FunctionSpec[],
  memory: WebAssembly.Memory,
): ReadonlyMap<string, Compiled> {
  const exports = bind(encodeModule(specs), memory);
  return new Map(
    specs.map(({ name }) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module was encoded from the same specs
      return [name, exports[name] as Compiled];
    }),
  );
}
