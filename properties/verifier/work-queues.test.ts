/** What Linux 6.18 cannot be asked: there, a work queue beside a map whose values have none ends the kernel. */
import { expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { verify } from "../../src/verifier/verify.ts";

const map = { type: "array", key_size: 4, value_size: 24, max_entries: 1 };
const queue = { ...map, name: "queue", fields: [{ kind: "workqueue", offset: 8 }] };
const plain = { ...map, name: "plain" };

function verdictOf(holder: string, given: string) {
  const asm = [
    `r1 = map_value[${holder}]+8`,
    `r2 = ${given}`,
    "r3 = 0",
    "call bpf_wq_init",
    "r0 = 0",
    "exit",
  ];
  const bundle = { name: "work", type: "xdp", kfuncs: ["bpf_wq_init"], asm, maps: [queue, plain] };
  const { program } = readBundle(JSON.stringify(bundle));
  return verify(program, undefined, { profile: readProfile("linux-6.18") });
}

test("a work queue begins with the map that it is in", () => {
  expect(verdictOf("queue", "map[queue]").verdict).toBe("accept");
  expect(verdictOf("queue", "map[plain]")).toMatchObject({
    verdict: "reject",
    message: "workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0",
  });
  expect(verdictOf("queue", "1")).toMatchObject({
    verdict: "reject",
    message: "pointer in R2 isn't map pointer",
  });
});

test("a value without types has no work queue", () => {
  expect(verdictOf("plain", "map[plain]")).toMatchObject({
    verdict: "reject",
    message: "map 'plain' has to have BTF in order to use bpf_wq",
  });
});
