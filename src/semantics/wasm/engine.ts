/**
 * Running modules. The part of the WebAssembly JavaScript interface (W3C, "WebAssembly JavaScript Interface", section 5) that soundcheck uses. Node
 * has it, but its types leave the declaration to the DOM's, which are not wanted here.
 */
declare global {
  namespace WebAssembly {
    interface MemoryDescriptor {
      /** In pages of 64 KiB. */
      initial: number;
      maximum?: number;
      shared?: boolean;
    }
    interface Memory {
      readonly buffer: ArrayBuffer;
      grow(delta: number): number;
    }
    interface Module {}
    interface Instance {
      readonly exports: Record<string, unknown>;
    }
    var Memory: { prototype: Memory; new (descriptor: MemoryDescriptor): Memory };
    var Module: { prototype: Module; new (bytes: Uint8Array): Module };
    var Instance: {
      prototype: Instance;
      new (module: Module, imports?: Record<string, Record<string, unknown>>): Instance;
    };
    function validate(bytes: Uint8Array): boolean;
  }
}

/** The exports of a module that imports the memory "env"."memory", compiled and bound to `memory` synchronously. */
export function bind(bytes: Uint8Array, memory: WebAssembly.Memory): Readonly<Record<string, unknown>> {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
}
