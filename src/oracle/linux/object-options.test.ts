import { expect, test } from "vitest";
import type { Kernel } from "./calls.ts";
import { objectOptionsFor, versionCode } from "./object-options.ts";

/** `KERNEL_VERSION(a, b, c)` of linux/version.h. */
test.each([
  ["6.18.44", 0x06_12_2c],
  ["6.1.0-50-cloud-amd64", 0x06_01_00],
  ["7.3-rc1", 0x07_03_00],
  ["5.4.300", 0x05_04_ff],
])("the code of version %s", (release, code) => {
  expect(versionCode(release)).toBe(code);
});

const kernel = (files: Readonly<Record<string, string>>): Kernel => ({
  name: "paper",
  arch: "x64",
  release: "6.1.7-paper",
  calls: () => [],
  close: () => undefined,
  readFile: (path) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
});

test("the configuration, from a file beside the kernel, and what loaders add", () => {
  const { kconfig, targetBtf } = objectOptionsFor(
    kernel({
      "/proc/sys/kernel/osrelease": "6.1.7-paper\n",
      "/boot/config-6.1.7-paper": "# comment\nCONFIG_HZ=250\n# CONFIG_A is not set\nCONFIG_B=m\n",
    }),
  );
  expect(targetBtf).toBeUndefined();
  expect(Object.fromEntries(kconfig ?? [])).toEqual({
    CONFIG_HZ: "250",
    CONFIG_B: "m",
    LINUX_KERNEL_VERSION: String(0x06_01_07),
    LINUX_HAS_BPF_COOKIE: "1",
    LINUX_HAS_SYSCALL_WRAPPER: "0",
  });
});

test("another system than Linux answers for no kernel", () => {
  expect(objectOptionsFor(kernel({})).kconfig).toEqual(new Map());
});

/** proc(5): address, type, name, and the module in brackets. */
test("the kernel's symbols: each address once, in the order of the list; none if the kernel lists none", () => {
  const { symbols } = objectOptionsFor(
    kernel({
      "/proc/kallsyms": [
        "ffffffff81000000 T one",
        "ffffffff81000010 t two",
        "0000000000000000 A two",
        "ffffffff81000010 t two",
        "ffffffffc0001000 t three\t[module]\n",
      ].join("\n"),
    }),
  );
  expect([...(symbols ?? [])]).toEqual([
    ["one", [0xffffffff81000000n]],
    ["two", [0xffffffff81000010n, 0n]],
    ["three", [0xffffffffc0001000n]],
  ]);
  expect(objectOptionsFor(kernel({ "/proc/kallsyms": "" })).symbols).toBeUndefined();
  expect(objectOptionsFor(kernel({})).symbols).toBeUndefined();
});
