/**
 * What a guest boots: a kernel of Debian's and the agent, in a cache folder. A kernel is downloaded once, and again when a newer one of its version is
 * asked for by `fetchImage`; the agent is compiled by the machine's C compiler.
 *
 *     CACHE/apt/            lists (debian.ts)
 *     CACHE/linux-6.1/      kernel.json, vmlinuz, 0.ko, 1.ko, … (drivers that the agent needs, in the order in which they are loaded)
 *     CACHE/agent-HASH      the agent, by its source
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError } from "../../semantics/errors.ts";
import { type DebianKernel, debianKernel, debianKernels, unpackKernel } from "./debian.ts";
import { initramfs } from "./initramfs.ts";

/** A kernel ready to boot. */
export interface Image {
  /** `linux-6.1` */
  readonly name: string;
  /** `6.1.0-50-cloud-amd64` */
  readonly release: string;
  /** The file of the kernel. */
  readonly kernel: string;
  /** Files of modules. */
  readonly modules: readonly string[];
}

const MANIFEST = z.strictObject({ release: z.string(), modules: z.number().int().min(0).max(10) });

/** Drivers by which the agent is reached, where they are modules; what they depend on comes before them. */
const DRIVERS = ["virtio_pci", "virtio_console"];

/** Where the images are: `$XDG_CACHE_HOME/soundcheck/guests`, or under `~/.cache`. */
export function guestCache(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CACHE_HOME: cache, HOME: home } = environment;
  if (cache !== undefined && cache.startsWith("/")) return join(cache, "soundcheck", "guests");
  if (home === undefined) throw new InputError("neither XDG_CACHE_HOME nor HOME says where to keep kernels");
  return join(home, ".cache", "soundcheck", "guests");
}

/** Images that are in the cache, by name. */
export function cachedImages(cache: string): readonly Image[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .map((name) => cachedImage(cache, name))
    .filter((image) => image !== undefined);
}

function cachedImage(cache: string, name: string): Image | undefined {
  const directory = join(cache, name);
  const manifest = join(directory, "kernel.json");
  if (!name.startsWith("linux-") || !existsSync(manifest)) return undefined;
  const { release, modules } = MANIFEST.parse(JSON.parse(readFileSync(manifest, "utf8")));
  const files = Array.from({ length: modules }, (_, index) => join(directory, `${index}.ko`));
  return { name, release, kernel: join(directory, "vmlinuz"), modules: files };
}

/** Kernels that Debian has now. Downloads apt's lists. */
export function fetchableKernels(cache: string): readonly DebianKernel[] {
  return debianKernels(join(cache, "apt"));
}

/**
 * The image of a name: from the cache, or downloaded where it is not there.
 * @param name `linux-6.1`, `linux-6.19.10`; or `newest`, which asks apt. @throws InputError if there is no such kernel, or it cannot be had
 */
export function findImage(cache: string, name: string): Image {
  return cachedImage(cache, name) ?? fetchImage(cache, name);
}

/** Downloads the newest kernel of a name, unless the cache has it. @throws InputError as `findImage` does */
export function fetchImage(cache: string, name: string): Image {
  const lists = join(cache, "apt");
  const kernel = name === "newest" ? debianKernels(lists).at(-1) : debianKernel(lists, name);
  if (kernel === undefined) {
    const names = debianKernels(lists)
      .map((each) => each.name)
      .join(", ");
    throw new InputError(`Debian has no kernel ${name}; it has ${names}`);
  }
  const cached = cachedImage(cache, kernel.name);
  if (cached?.release === kernel.release) return cached;
  const work = mkdtempSync(join(cache, "unpack-"));
  try {
    const packages = join(work, "packages");
    mkdirSync(packages);
    unpackKernel(lists, kernel, packages);
    const image = join(work, "image");
    mkdirSync(image);
    collect(packages, kernel.release, image);
    const place = join(cache, kernel.name);
    rmSync(place, { recursive: true, force: true });
    renameSync(image, place);
  } finally {
    rmSync(work, { recursive: true });
  }
  return findImage(cache, kernel.name);
}

/** Takes from unpacked packages what a guest needs. */
function collect(packages: string, release: string, image: string): void {
  const files = readdirSync(packages, { recursive: true, encoding: "utf8" });
  // Some versions have the kernel in /boot, some among the modules.
  const kernel = files.find((file) => /^vmlinuz(-|$)/.test(basename(file)));
  if (kernel === undefined) throw new InputError(`the packages of ${release} hold no kernel`);
  const modules = new Map<string, Uint8Array>();
  const add = (name: string): void => {
    const file = files.find((each) => moduleName(each) === name);
    // What is no module is built in.
    if (file === undefined || modules.has(name)) return;
    const bytes = plain(join(packages, file));
    for (const dependency of dependencies(bytes)) add(dependency);
    modules.set(name, bytes);
  };
  for (const driver of DRIVERS) add(driver);
  writeFileSync(join(image, "vmlinuz"), readFileSync(join(packages, kernel)));
  for (const [index, bytes] of [...modules.values()].entries())
    writeFileSync(join(image, `${index}.ko`), bytes);
  writeFileSync(join(image, "kernel.json"), JSON.stringify({ release, modules: modules.size }));
}

/** `virtio_pci` of `…/virtio_pci.ko.xz`: the kernel takes `-` in names for `_`. */
function moduleName(file: string): string | undefined {
  return /^(.+)\.ko(\.xz)?$/.exec(basename(file))?.[1]?.replaceAll("-", "_");
}

function plain(file: string): Uint8Array {
  if (!file.endsWith(".xz")) return readFileSync(file);
  const { status, error, stdout } = spawnSync("xz", ["-dc", file], { maxBuffer: 1 << 28 });
  if (status === 0) return stdout;
  throw new InputError(
    `xz cannot unpack ${basename(file)}${error === undefined ? "" : `: ${error.message}`}`,
  );
}

const DEPENDS = "depends=";

/** A module says what it depends on, in a section of texts that end with NUL. */
function dependencies(module: Uint8Array): readonly string[] {
  const text = Buffer.from(module).toString("latin1");
  const entry = text.split("\0").find((each) => each.startsWith(DEPENDS));
  return (entry ?? DEPENDS)
    .slice(DEPENDS.length)
    .split(",")
    .filter((name) => name !== "");
}

/** The same place from the sources and from the package's compiled files. */
const AGENT_SOURCE = fileURLToPath(new URL("../../../src/oracle/guest/agent/agent.c", import.meta.url));

const COMPILERS = ["cc", "gcc", "clang"];

const COMPILER_OPTIONS = (
  "-O2 -std=c11 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie " +
  "-mgeneral-regs-only -Wl,--build-id=none -s"
).split(" ");

/** The agent, an executable file. @throws InputError without a C compiler */
export function agentFile(cache: string): string {
  const source = readFileSync(AGENT_SOURCE);
  const hash = createHash("sha256").update(source).update(COMPILER_OPTIONS.join(" ")).digest("hex");
  const file = join(cache, `agent-${hash.slice(0, 16)}`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const made = `${file}.${process.pid}`;
    compile(made);
    renameSync(made, file);
  }
  return file;
}

function compile(target: string): void {
  for (const compiler of COMPILERS) {
    const { status, error, stderr } = spawnSync(compiler, [...COMPILER_OPTIONS, "-o", target, AGENT_SOURCE]);
    if (status === 0) return;
    if (error === undefined || !("code" in error) || error.code !== "ENOENT") {
      throw new InputError(`${compiler} cannot compile the agent: ${String(stderr).split("\n")[0]}`);
    }
  }
  throw new InputError(`no C compiler for the agent (${COMPILERS.join(", ")})`);
}

/** The first file system of a guest: the agent as its only process, and its drivers. */
export function imageArchive(cache: string, { modules }: Image): Uint8Array {
  return initramfs([
    { path: "init", bytes: readFileSync(agentFile(cache)), mode: 0o755 },
    ...modules.map((file, index) => ({ path: `modules/${index}`, bytes: readFileSync(file) })),
  ]);
}
