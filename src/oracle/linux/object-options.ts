/**
 * What an object needs to know of the kernel that it is read for: the kernel's types, its configuration, and its symbols. Source: libbpf's documentation of
 * `.kconfig` externs (Documentation/bpf/libbpf/libbpf_overview.rst), and proc(5) for config.gz.
 */
import { gunzipSync } from "node:zlib";
import { type Btf, readBtf } from "../../object/btf.ts";
import type { ObjectOptions } from "../../object/programs.ts";
import { InputError } from "../../semantics/errors.ts";
import type { Kernel } from "./calls.ts";
import { symbolsOf } from "./symbols.ts";
import { THIS_MACHINE } from "./this-machine.ts";

/** Where a kernel tells its own types. */
export const KERNEL_BTF = "/sys/kernel/btf/vmlinux";

const known = new WeakMap<Kernel, ObjectOptions>();

/**
 * How objects are read for a kernel. It is asked for its types, its configuration and its symbols when an object first needs them, and once. What it does not
 * tell is absent.
 */
export function objectOptionsFor(kernel: Kernel = THIS_MACHINE): ObjectOptions {
  let options = known.get(kernel);
  if (options === undefined) {
    const targetBtf = once(() => kernelBtf(kernel));
    const kconfig = once(() => configuration(kernel, targetBtf));
    options = {
      get targetBtf() {
        return targetBtf();
      },
      get kconfig() {
        return kconfig();
      },
      get symbols() {
        return symbolsOf(kernel);
      },
    };
    known.set(kernel, options);
  }
  return options;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function kernelBtf(kernel: Kernel): Btf | undefined {
  const bytes = kernel.readFile(KERNEL_BTF);
  if (bytes === undefined) return undefined;
  try {
    return readBtf(bytes, KERNEL_BTF);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Of `CONFIG_A=y`, the name and the value. */
const ENTRY = /^(CONFIG_\w+)=(.*)$/;

function configuration(kernel: Kernel, types: () => Btf | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  // Another system than Linux answers for no kernel.
  if (kernel.readFile("/proc/sys/kernel/osrelease") === undefined) return values;
  for (const line of configurationText(kernel).split("\n")) {
    const [, name, value] = ENTRY.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  const version = versionCode(kernel.release);
  values.set("LINUX_KERNEL_VERSION", String(version));
  // Cookies of attachments came with 5.15.
  values.set("LINUX_HAS_BPF_COOKIE", version >= 0x050f00 ? "1" : "0");
  const btf = types();
  const wrapper = btf?.findKind("__x64_sys_bpf", "func") ?? btf?.findKind("__arm64_sys_bpf", "func");
  values.set("LINUX_HAS_SYSCALL_WRAPPER", wrapper === undefined ? "0" : "1");
  return values;
}

function configurationText(kernel: Kernel): string {
  const packed = kernel.readFile("/proc/config.gz");
  const bytes = packed === undefined ? kernel.readFile(`/boot/config-${kernel.release}`) : gunzipSync(packed);
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}

/** `KERNEL_VERSION(6, 18, 44)` of `6.18.44-anything`; the last part counts to 255. */
export function versionCode(release: string): number {
  const [, major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release) ?? []).map(Number);
  return (major << 16) | (minor << 8) | Math.min(255, patch);
}
