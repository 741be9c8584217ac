/**
 * Claim: the classic machine keeps of a datagram what the running kernel's filter keeps, and cuts it where the kernel does (SO_ATTACH_FILTER); and so does the conversion to
 * eBPF in the kernel (SO_ATTACH_BPF). Random filters on pairs of UNIX sockets, chosen ones on UDP sockets over the loopback device, where there are headers
 * before the filter's offset 0, a device and a mark. Skipped where bpf(2) cannot be used.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FilterSocket } from "../../src/oracle/linux/filter-socket.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assembleFilter } from "../../src/semantics/classic/assemble.ts";
import { encodeFilter } from "../../src/semantics/classic/codec.ts";
import { convertFilter } from "../../src/semantics/classic/convert.ts";
import { extensionOf } from "../../src/semantics/classic/extensions.ts";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import { ClassicMachine } from "../../src/semantics/classic/machine.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { EFFORT } from "../scalar/settings.ts";
import { filters } from "./arbitrary.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

/** The last return gives 11 bits of A plus 1: what a long datagram shows. */
function shown(filter: Filter, shift: number): Filter {
  const epilogue = assembleFilter(`rsh #${shift}\nand #0x7ff\nadd #1\nret a`);
  return [...filter.slice(0, -1), ...epilogue];
}

/** Searches for attributes are loops, whose conversions take a verifier long where there are several: `conversion.test.ts` has those. */
const searches = (filter: Filter): boolean =>
  filter.some((insn) => extensionOf(insn)?.name.startsWith("nlattr") === true);

function converted(filter: Filter): ReturnType<typeof loadProgram> | undefined {
  try {
    return loadProgram(convertFilter("filter", filter, "socket"));
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

describe.skipIf(!kernel.ok)("UNIX sockets", () => {
  let classic: FilterSocket;
  let extended: FilterSocket;
  beforeAll(() => {
    classic = new FilterSocket(THIS_MACHINE, "unix");
    extended = new FilterSocket(THIS_MACHINE, "unix");
  });
  afterAll(() => {
    classic.close();
    extended.close();
  });

  /** There is no link layer, no device and no protocol; the network header is where the datagram begins. */
  const ours = (filter: Filter, bytes: Uint8Array): Uint8Array | undefined => {
    const value = new ClassicMachine(filter).run({ bytes, network: 0, link: "none" });
    return value === 0 ? undefined : bytes.slice(0, value);
  };

  test("random filters on random datagrams", () => {
    let kept = 0;
    let conversions = 0;
    const random = filters({
      use: "socket",
      longest: 24,
      reach: 40,
      negative: true,
      extensions: [
        ...(["protocol", "pkttype", "ifindex", "hatype", "mark", "queue", "rxhash", "alu_xor_x"] as const),
        ...(["vlan_tag", "vlan_tag_present", "vlan_tpid", "nlattr", "nlattr_nest"] as const),
      ],
    });
    const datagram = fc.oneof(
      fc.uint8Array({ minLength: 2100, maxLength: 2100 }),
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      // Small numbers make netlink attributes of it.
      fc.array(fc.nat({ max: 12 }), { minLength: 20, maxLength: 80 }).map((bytes) => Uint8Array.from(bytes)),
    );
    const property = fc.property(
      random,
      fc.constantFrom(0, 11, 21),
      fc.array(datagram, { minLength: 3, maxLength: 3 }),
      (filter, shift, datagrams) => {
        const whole = shown(filter, shift);
        expect(classic.attach(encodeFilter(whole))).toBeUndefined();
        const program = searches(whole) ? undefined : converted(whole);
        if (program?.verdict === "reject") throw new Error(program.message);
        if (program !== undefined) extended.attachProgram(program.fd);
        for (const bytes of datagrams) {
          const expected = ours(whole, bytes);
          expect(classic.pass(bytes)).toEqual(expected);
          if (expected !== undefined) kept += 1;
          if (program === undefined) continue;
          expect(extended.pass(bytes)).toEqual(expected);
          conversions += 1;
        }
        program?.close();
      },
    );
    fc.assert(property, { numRuns: 150 * EFFORT, seed: 5 });
    expect(kept).toBeGreaterThan(100);
    expect(conversions).toBeGreaterThan(100);
  });
});

// --- UDP

const UDP_HEADER = 8;
const HEADERS = 14 + 20 + UDP_HEADER;
const MARK = 0x1234;

/** Filters of what is the same in every datagram over the loopback device: addresses, lengths and the like, but no ports or checksums. */
const CHOSEN: readonly string[] = [
  "ret #0",
  "ret #1",
  "ret #8",
  "ret #9",
  "ret #100",
  "ret #-1",
  "ld len\nret a",
  "ldh [4]\nret a",
  "ldb [8]\nret a",
  "ldb [47]\nret a",
  "ldb [48]\nadd #1\nret a",
  "ld [45]\nret #50",
  "ldx #8\nldb [x + 1]\nadd #9\nret a",
  "ldb [-0x100000]\nadd #1\nret a",
  "ldb [-1048567]\nadd #1\nret a",
  "ldh [-1048574]\nret a",
  "ld [-1048564]\njeq #0x7f000001, keep\nret #0\nkeep: ret #20",
  "ldxb 4*([-0x100000]&0xf)\nldb [x + -1048568]\nadd #1\nret a",
  "ldh [-2097140]\nsub #2000\nret a",
  "ldb [-2097129]\nadd #1\nret a",
  "ldb [-2097153]\nret #50",
  "ldb [-0x100000]\nldb [-1048500]\nret #50",
  "ld proto\nsub #2000\nret a",
  "ld type\nadd #9\nret a",
  "ld ifidx\nadd #9\nret a",
  "ld hatype\nsub #750\nret a",
  "ld mark\nsub #4640\nret a",
  "ld queue\nadd #9\nret a",
  "ld vlan_tci\nadd #9\nret a",
  "ld vlan_avail\nadd #9\nret a",
  "ld vlan_tpid\nadd #9\nret a",
  "ld poff\nadd #9\nret a",
  "ld #12\nldx #5\nld xor_x\nret a",
  "ldx #3\nldi #8\nld nla\nadd #10\nret a",
  "ldx #1\nldi #8\nld nlan\nadd #10\nret a",
];

describe.skipIf(!kernel.ok)("UDP sockets over the loopback device", () => {
  let socket: FilterSocket;
  beforeAll(() => {
    socket = new FilterSocket(THIS_MACHINE, "udp");
    socket.mark(MARK);
  });
  afterAll(() => socket.close());

  /** The datagram's frame: the filter sees it from the UDP header on, and what is left of that is cut, but for the header. */
  function ours(filter: Filter, payload: Uint8Array): Uint8Array | undefined {
    const bytes = new Uint8Array(HEADERS + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(12, 0x0800);
    view.setUint8(14, 0x45);
    view.setUint16(16, bytes.length - 14);
    view.setUint8(22, 64);
    view.setUint8(23, 17);
    bytes.set([127, 0, 0, 1, 127, 0, 0, 1], 26);
    view.setUint16(38, UDP_HEADER + payload.length);
    bytes.set(payload, HEADERS);
    const facts = { protocol: 0x0800, pkttype: 0, ifindex: 1, hatype: 772, mark: MARK };
    const value = new ClassicMachine(filter).run({ bytes, data: 34, ...facts });
    return value === 0 ? undefined : payload.slice(0, Math.max(value, UDP_HEADER) - UDP_HEADER);
  }

  const payload = Uint8Array.from({ length: 40 }, (_, i) => [8, 0, 3, 0, 1, 2, 4, 0, 12, 0, 5][i] ?? 60 + i);

  test.each(CHOSEN)("%j", (text) => {
    const filter = assembleFilter(text);
    expect(socket.attach(encodeFilter(filter))).toBeUndefined();
    expect(socket.pass(payload)).toEqual(ours(filter, payload));
    const program = converted(filter);
    if (program === undefined) return;
    if (program.verdict === "reject") throw new Error(program.message);
    socket.attachProgram(program.fd);
    expect(socket.pass(payload)).toEqual(ours(filter, payload));
    program.close();
  });
});
