/**
 * Debian's kernels for virtual machines ("cloud" kernels), through apt, without installing anything: apt works on lists and downloads in a folder of
 * ours, from the Debian archive that the machine's own apt knows, and asks for the releases named here and their backports.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../semantics/errors.ts";

/** Releases whose kernels are of interest, oldest first: 5.10, 6.1 and 6.12 are theirs; the newest kernels come to the newest one's backports. */
const SUITES = ["bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports"];

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** `linux-image-6.1.0-50-cloud-amd64`, `linux-image-7.3.4+deb13-cloud-amd64`. */
const PACKAGE = /^linux-image-(\d+\.\d+\.\S+-cloud-amd64)$/;

export interface DebianKernel {
  /** `linux-6.1`: the newest of its version; or `linux-6.19.10`, `linux-6.1.0-47`: one that was asked for. */
  readonly name: string;
  /** As uname(2) will say: `6.1.0-50-cloud-amd64`. */
  readonly release: string;
}

/** What a program wrote to standard output. @throws InputError with the last line of what it complained about */
function run(command: string, given: readonly string[], directory?: string): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, given, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: "C" },
    ...(directory === undefined ? {} : { cwd: directory }),
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    throw new InputError(`${command} is not on PATH (guest kernels are Debian's packages)`);
  }
  if (status !== 0) {
    const words = stderr.trim().split("\n").at(-1) ?? "";
    const why = error?.message ?? (words === "" ? `ended with ${signal ?? `status ${status}`}` : words);
    throw new InputError(`${command}: ${why}`);
  }
  return stdout;
}

/** apt with a root of its own in a folder. */
class Apt {
  readonly #options: readonly string[];
  readonly #folder: string;

  /** @throws InputError where the machine's apt knows no Debian archive */
  constructor(folder: string) {
    this.#folder = folder;
    for (const part of ["lists/partial", "archives/partial"])
      mkdirSync(join(folder, part), { recursive: true });
    const [sources, status] = [join(folder, "sources"), join(folder, "status")];
    const signed = existsSync(KEYRING) ? ` [signed-by=${KEYRING}]` : "";
    const archive = debianArchive();
    writeFileSync(sources, SUITES.map((suite) => `deb${signed} ${archive} ${suite} main\n`).join(""));
    writeFileSync(status, "");
    this.#options = Object.entries({
      "Dir::State": folder,
      "Dir::State::lists": join(folder, "lists"),
      "Dir::State::status": status,
      "Dir::Cache": folder,
      "Dir::Etc::SourceList": sources,
      "Dir::Etc::SourceParts": "/dev/null",
      "APT::Architecture": "amd64",
      "APT::Sandbox::User": "",
      "Acquire::Languages": "none",
    }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  }

  get(...given: readonly string[]): string {
    return run("apt-get", ["-qq", ...this.#options, ...given], this.#folder);
  }

  cache(...given: readonly string[]): string {
    return run("apt-cache", [...this.#options, ...given], this.#folder);
  }
}

function debianArchive(): string {
  const targets = run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)",
    "Created-By: Packages",
    "Label: Debian",
  ]);
  const [archive] = targets.split("\n");
  if (archive !== undefined && archive !== "") return archive;
  throw new InputError("apt here knows no Debian archive: add a source of Debian's main, and apt-get update");
}

/**
 * The newest kernel of each version that Debian has, oldest version first. Downloads lists.
 * @throws InputError if apt cannot tell
 */
export function debianKernels(folder: string): readonly DebianKernel[] {
  const newest = new Map(
    releases(folder).map((release) => [/^\d+\.\d+/.exec(release)?.[0] ?? release, release]),
  );
  return [...newest].map(([version, release]) => ({ name: `linux-${version}`, release }));
}

/**
 * The newest of Debian's kernels whose release begins with the numbers in a name: `linux-6.19`, `linux-6.19.10`, `linux-6.1.0-47`. Downloads lists.
 * @throws InputError if apt cannot tell
 */
export function debianKernel(folder: string, name: string): DebianKernel | undefined {
  const wanted = name.replace(/^linux-/, "");
  const release = releases(folder).findLast(
    (each) => each.startsWith(wanted) && !/^\d/.test(each.slice(wanted.length)),
  );
  return release === undefined ? undefined : { name, release };
}

/** All releases that Debian has, oldest first. */
function releases(folder: string): readonly string[] {
  const apt = new Apt(folder);
  const trouble = update(apt);
  const lines = apt.cache("pkgnames", "linux-image-").split("\n");
  const found = lines.flatMap((line) => PACKAGE.exec(line)?.[1] ?? []);
  if (found.length === 0) throw trouble ?? new InputError("apt finds no kernel of Debian's");
  return found.sort(byNumbers);
}

/** Brings the lists up to date; those that cannot be had stay as they were. */
function update(apt: Apt): InputError | undefined {
  try {
    apt.get("update");
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Compares releases by the numbers in them. */
function byNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  for (let index = 0; ; index++) {
    const [x, y] = [left?.[index], right?.[index]];
    if (x === undefined || y === undefined) return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1);
    if (x !== y) return x - y;
  }
}

/**
 * Downloads a kernel and unpacks it. A kernel may consist of several packages, those it depends on that bear its release.
 * @param folder as given to `debianKernels`, which must have been asked. @param target where the packages' files go
 */
export function unpackKernel(folder: string, { release }: DebianKernel, target: string): void {
  const apt = new Apt(folder);
  const main = `linux-image-${release}`;
  const depends = apt.cache("depends", "--important", main).matchAll(/Depends: (\S+)/g);
  const parts = [...depends].map(([, name = ""]) => name).filter((name) => name.endsWith(`-${release}`));
  for (const name of [main, ...parts]) {
    apt.get("download", name);
    for (const file of readdirSync(folder).filter((each) => each.startsWith(`${name}_`))) {
      run("dpkg-deb", ["-x", join(folder, file), target]);
      rmSync(join(folder, file));
    }
  }
}
