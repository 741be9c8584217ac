/** Certificate files: what is written into them. */
import { writeFileSync } from "node:fs";
import { InputError } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate } from "../verifier/certificate.ts";
import { ByteReader } from "../verifier/certificate-format/bytes.ts";
import { decodeCertificate } from "../verifier/certificate-format/decode.ts";
import { encodeCertificate } from "../verifier/certificate-format/encode.ts";
import { type EncodedEntry, encodeFile } from "../verifier/certificate-format/file.ts";
import { programHash } from "../verifier/certificate-format/program-hash.ts";
import { checkCertificate } from "../verifier/check-certificate.ts";
import { rules } from "./rules.ts";
import { STATUS, type Status } from "./status.ts";
import { note } from "./terminal.ts";

/** An accepted program's entry. What is written is read again and checked: no file has a certificate that does not hold. */
export function certificateEntry(program: Program, certificate: Certificate): EncodedEntry {
  const body = encodeCertificate(certificate);
  const check = checkCertificate(program, decodeCertificate(new ByteReader(body)), undefined, rules());
  if (!check.ok) throw new Error(`the certificate does not hold when it is read again: ${check.reason}`);
  return { name: program.name, hash: programHash(program), profile: rules().profile.kernel, body };
}

/** Writes a certificate file, and says so on standard error. @throws InputError  if the file cannot be written */
export function writeCertificates(file: string, entries: readonly EncodedEntry[]): Status {
  const bytes = encodeFile(entries);
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new InputError(
      `${file}: cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  note(`${file}: ${entries.length} certificate${entries.length === 1 ? "" : "s"}, ${bytes.length} bytes`);
  return STATUS.held;
}
