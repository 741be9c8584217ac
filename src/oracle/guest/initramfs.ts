/**
 * Archives of the format that the kernel unpacks as its first file system: cpio, "newc" (Documentation/driver-api/early-userspace/buffer-format.rst).
 */

export interface ArchiveFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permissions; 0o644 unless said otherwise. */
  readonly mode?: number;
}

const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** The archive of the files, with the directories that they are in. */
export function initramfs(files: readonly ArchiveFile[]): Uint8Array {
  const directories = new Set(files.flatMap(({ path }) => parents(path)));
  const entries = [
    ...[...directories].map((path) => entry(path, DIRECTORY | 0o755, new Uint8Array(0))),
    ...files.map(({ path, bytes, mode = 0o644 }) => entry(path, REGULAR | mode, bytes)),
    entry("TRAILER!!!", 0, new Uint8Array(0)),
  ];
  return Buffer.concat(entries);
}

/** `a/b` and `a` of `a/b/c`, outer ones first. */
function parents(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** A header of 13 numbers of 8 hexadecimal digits, the name with its NUL, and the bytes; both padded to a multiple of 4. */
function entry(path: string, mode: number, bytes: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  // Inode, mode, owner, group, links, time, size, four device numbers, size of the name, checksum.
  const numbers = [0, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(bytes)]);
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
