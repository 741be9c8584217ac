/** The interpreter's loop over instructions, as WebAssembly. */
import { bind } from "../../semantics/wasm/engine.ts";
import { FunctionBuilder } from "../../semantics/wasm/function.ts";
import { binaryInstruction, unaryInstruction } from "../../semantics/wasm/instructions.ts";
import { encodeFunctions } from "../../semantics/wasm/module.ts";
import { CONTROL_AT, memory } from "../memory.ts";
import { HANDLERS, type Locals, Writer } from "./handlers.ts";
import { OP } from "./record.ts";

/** Where the loop leaves the record at which it stopped (u32). */
export const NEXT_AT = CONTROL_AT;

/**
 * Executes instructions from a record on, at most as many as given (below 2^31), and returns how many of them are left. If any are, the instruction at which it
 * stopped is for others to execute.
 */
export type Dispatch = (op: number, left: number) => number;

const OP_LOCAL = 0;
const LEFT = 1;

/** The function's code. It exits by two blocks around the loop: one for an instruction that was counted and not executed, one for the end of the stretch. */
function dispatchFunction(): FunctionBuilder {
  const code = new FunctionBuilder("dispatch", ["i32", "i32"], ["i32"]);
  const i32 = (): number => code.local("i32");
  const i64 = (): number => code.local("i64");
  const locals: Locals = {
    op: OP_LOCAL,
    dst: i32(),
    src: i32(),
    at: i32(),
    region: i32(),
    tag: i32(),
    address: i64(),
    distance: i64(),
  };
  const count = HANDLERS.length;
  const add = (amount: bigint): void => {
    code.get(LEFT);
    code.constant("i32", amount);
    code.numeric(binaryInstruction("i32.add"));
    code.set(LEFT);
  };
  code.block();
  code.block();
  code.loop();
  for (let i = 0; i < count; i += 1) code.block();
  // Inside: blocks 0 to count - 1 end before their handlers; then come the loop and the two exits.
  code.get(LEFT);
  code.numeric(unaryInstruction("i32.eqz"));
  code.brIf(count + 2);
  add(-1n);
  code.get(OP_LOCAL);
  code.load("i32.load16_u", OP.code);
  code.brTable([count + 1, ...HANDLERS.keys()], count + 1);
  for (const [i, { write }] of HANDLERS.entries()) {
    code.end();
    const loop = count - 1 - i;
    write(new Writer(code, locals, { loop, leave: loop + 1 }));
  }
  code.end();
  code.end();
  add(1n);
  code.end();
  code.constant("i32", 0n);
  code.get(OP_LOCAL);
  code.store("i32.store", NEXT_AT);
  code.get(LEFT);
  return code;
}

export const dispatchModule = (): Uint8Array => encodeFunctions([dispatchFunction()]);

let compiled: Dispatch | undefined;

/** Compiled on first use. */
export const dispatch: Dispatch = (op, left) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- encoded with this type above
  compiled ??= bind(dispatchModule(), memory)["dispatch"] as Dispatch;
  return compiled(op, left);
};
