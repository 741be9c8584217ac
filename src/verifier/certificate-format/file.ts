/** A certificate file: a header, and for each program its name, what it is, and its certificate (docs/certificates.md). */
import type { Certificate } from "../certificate.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { decodeCertificate } from "./decode.ts";
import { HASH_BYTES } from "./program-hash.ts";

/** As PNG's: not text, and damaged by what damages files that are taken for text. */
const MAGIC = Uint8Array.from([0x89, 0x53, 0x43, 0x45, 0x52, 0x54, 0x0d, 0x0a]);

/** Raised with every change that makes older readers wrong. */
const VERSION = 2;

interface Heading {
  /** The program's name, for people. */
  readonly name: string;
  /** `programHash` of the program. */
  readonly hash: Uint8Array;
  /** The profile whose rules hold: its kernel. */
  readonly profile: string;
}

/** An entry to be written. */
export interface EncodedEntry extends Heading {
  /** What `encodeCertificate` gave. */
  readonly body: Uint8Array;
}

/** An entry that was read. */
export interface CertificateEntry extends Heading {
  readonly certificate: Certificate;
  /** Bytes of the certificate in the file. */
  readonly size: number;
}

/** The bytes of a file. */
export function encodeFile(entries: readonly EncodedEntry[]): Uint8Array {
  const out = new ByteWriter();
  out.raw(MAGIC);
  out.varint(VERSION);
  out.varint(entries.length);
  for (const { name, hash, profile, body } of entries) {
    out.text(name);
    out.raw(hash);
    out.text(profile);
    out.varint(body.length);
    out.raw(body);
  }
  return out.finish();
}

/**
 * The certificates in a file's bytes. Uses the memory that verifications share.
 *
 * @throws InputError  with the offset of what is wrong
 */
export function decodeFile(bytes: Uint8Array): readonly CertificateEntry[] {
  const from = new ByteReader(bytes);
  if (from.rest < MAGIC.length || from.raw(MAGIC.length).some((byte, i) => byte !== MAGIC[i])) {
    from.fail("not a certificate file", 0);
  }
  const at = from.offset;
  const version = from.varint("the version", Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) from.fail(`version ${version}, not ${VERSION}`, at);
  const count = from.count("the number of certificates");
  const entries: CertificateEntry[] = [];
  while (entries.length < count) {
    const name = from.text("a program's name");
    const hash = from.raw(HASH_BYTES).slice();
    const profile = from.text("a profile's name");
    const size = from.count("the size of a certificate");
    entries.push({ name, hash, profile, size, certificate: decodeCertificate(from.part(size)) });
  }
  from.end();
  return entries;
}
