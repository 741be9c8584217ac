/** Modules: the sections of the binary format (core specification 2.0, section 5.5). */
import { Bytes } from "./bytes.ts";
import { type FunctionBuilder, typeByte } from "./function.ts";
import type { ValueType } from "./instructions.ts";

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/** A module that imports the memory "env"."memory" and exports each function by its name. */
export function encodeFunctions(functions: readonly FunctionBuilder[]): Uint8Array {
  const out = new Bytes();
  out.bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));

  const section = (id: number, count: number, write: (body: Bytes) => void): void => {
    const body = new Bytes();
    body.unsigned(count);
    write(body);
    out.byte(id);
    out.vector(body.finish());
  };
  const types = new Map<string, number>();
  const typeOf = functions.map(({ parameters, results }) => {
    const key = `${parameters.join(",")}:${results.join(",")}`;
    const index = types.get(key) ?? types.size;
    types.set(key, index);
    return index;
  });
  const writeTypes = (body: Bytes, list: readonly ValueType[]): void =>
    body.vector(Uint8Array.from(list, typeByte));

  section(SECTION.type, types.size, (body) => {
    let written = 0;
    functions.forEach(({ parameters, results }, i) => {
      if (typeOf[i] !== written) return;
      written += 1;
      body.byte(0x60);
      writeTypes(body, parameters);
      writeTypes(body, results);
    });
  });
  section(SECTION.import, 1, (body) => {
    body.name("env");
    body.name("memory");
    // A memory of at least no pages: any will do.
    body.bytes(Uint8Array.of(0x02, 0x00, 0x00));
  });
  section(SECTION.function, functions.length, (body) => {
    for (const index of typeOf) body.unsigned(index);
  });
  section(SECTION.export, functions.length, (body) => {
    functions.forEach(({ name }, i) => {
      body.name(name);
      body.byte(0x00);
      body.unsigned(i);
    });
  });
  section(SECTION.code, functions.length, (body) => {
    for (const f of functions) body.vector(f.finish());
  });
  return out.finish();
}
