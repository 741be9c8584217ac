/** Packets that programs look into: each protocol of the corpus, whole and cut short, with right and wrong fields. */

interface Titled {
  readonly title: string;
  readonly bytes: Uint8Array;
}

const bytes = (...parts: readonly (readonly number[] | string)[]): number[] =>
  parts.flatMap((part) =>
    typeof part === "string" ? [...Buffer.from(part.replaceAll(" ", ""), "hex")] : part,
  );

const short = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];

const ETHERNET = "02 00 00 00 00 01  02 00 00 00 00 02";
const ethernet = (type: number, payload: readonly number[]): number[] =>
  bytes(ETHERNET, short(type), payload);
const vlan = (type: number, inner: number, payload: readonly number[]): number[] =>
  ethernet(type, bytes(short(0x0064), short(inner), payload));

function checksum(data: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += ((data[i] ?? 0) << 8) | (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

interface Ipv4 {
  readonly protocol: number;
  readonly payload: readonly number[];
  readonly source?: string;
  readonly target?: string;
  readonly options?: readonly number[];
  readonly fragment?: number;
  readonly ttl?: number;
}

function ipv4(p: Ipv4): number[] {
  const { options = [], source = "0a 00 00 01", target = "0a 00 00 02", fragment = 0, ttl = 64 } = p;
  const length = 20 + options.length;
  const header = (sum: number): number[] =>
    bytes(
      [0x40 | (length / 4), 0],
      short(length + p.payload.length),
      short(0x1234),
      short(fragment),
      [ttl, p.protocol],
      short(sum),
      source,
      target,
      options,
    );
  return bytes(header(checksum(header(0))), p.payload);
}

const ipv6 = (next: number, payload: readonly number[]): number[] =>
  bytes(
    "60 00 00 00",
    short(payload.length),
    [next, 64],
    "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002",
    payload,
  );

const udp = (source: number, target: number, data: readonly number[]): number[] =>
  bytes(short(source), short(target), short(8 + data.length), short(0x1234), data);

function tcp(
  source: number,
  target: number,
  flags: number,
  data: readonly number[],
  options: readonly number[] = [],
): number[] {
  const offset = (20 + options.length) / 4;
  return bytes(
    short(source),
    short(target),
    "00000001 00000002",
    [offset << 4, flags],
    short(0x2000),
    short(0x5678),
    short(0),
    options,
    data,
  );
}

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];
const SYN = 0x02;
const ACK = 0x10;
const ICMP_ECHO = bytes([8, 0], short(0x1111), short(1), short(1), ascii("ping ping ping"));
const MSS = [2, 4, 0x05, 0xb4];
const DNS = bytes(
  short(7),
  short(0x0100),
  short(1),
  short(0),
  short(0),
  short(0),
  [7],
  ascii("example"),
  [3],
  ascii("com"),
  [0],
  short(1),
  short(1),
);
const ARP = bytes("0001 0800 06 04 0001", "020000000002 0a000001", "000000000000 0a000002");

const WHOLE: readonly (readonly [string, readonly number[]])[] = [
  ["ARP", ethernet(0x0806, ARP)],
  ["an unknown type", ethernet(0x88b5, ascii("anything at all"))],
  ["802.3", ethernet(0x0010, bytes([0x42, 0x42, 3], ascii("llc")))],
  ["IPv4 UDP", ethernet(0x0800, ipv4({ protocol: 17, payload: udp(1000, 2000, ascii("hello")) }))],
  ["IPv4 UDP to 7", ethernet(0x0800, ipv4({ protocol: 17, payload: udp(4000, 7, ascii("echo")) }))],
  ["IPv4 DNS", ethernet(0x0800, ipv4({ protocol: 17, payload: udp(4000, 53, DNS) }))],
  ["IPv4 TCP SYN", ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(5000, 80, SYN, [], MSS) }))],
  [
    "IPv4 TCP SYN to 8080",
    ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(5000, 8080, SYN, [], [1, 1, ...MSS, 1, 0]) })),
  ],
  [
    "IPv4 HTTP",
    ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(5000, 80, ACK, ascii("GET / HTTP/1.1\r\n\r\n")) })),
  ],
  [
    "IPv4 HTTP answer",
    ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(80, 5000, ACK, ascii("HTTP/1.1 200 OK\r\n\r\n")) })),
  ],
  [
    "IPv4 HTTPS from elsewhere",
    ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(5000, 443, ACK, ascii("x")), source: "c0a80105" })),
  ],
  [
    "IPv4 with options",
    ethernet(0x0800, ipv4({ protocol: 17, payload: udp(1, 2, ascii("o")), options: [1, 1, 1, 0] })),
  ],
  ["IPv4 ping", ethernet(0x0800, ipv4({ protocol: 1, payload: ICMP_ECHO }))],
  ["IPv4 last hop", ethernet(0x0800, ipv4({ protocol: 17, payload: udp(1, 2, []), ttl: 1 }))],
  [
    "IPv4 fragment",
    ethernet(0x0800, ipv4({ protocol: 17, payload: ascii("the rest of it"), fragment: 0x00b9 })),
  ],
  ["IPv4 GRE", ethernet(0x0800, ipv4({ protocol: 47, payload: ascii("tunnel") }))],
  [
    "IPv4 of version 5",
    ethernet(
      0x0800,
      ipv4({ protocol: 17, payload: udp(1, 2, []) }).map((b, i) => (i === 0 ? 0x55 : b)),
    ),
  ],
  [
    "IPv4 with a short header length",
    ethernet(
      0x0800,
      ipv4({ protocol: 17, payload: udp(1, 2, []) }).map((b, i) => (i === 0 ? 0x44 : b)),
    ),
  ],
  ["IPv6 UDP", ethernet(0x86dd, ipv6(17, udp(1000, 2000, ascii("hello"))))],
  ["IPv6 DNS", ethernet(0x86dd, ipv6(17, udp(4000, 53, DNS)))],
  ["IPv6 TCP", ethernet(0x86dd, ipv6(6, tcp(5000, 80, SYN, [], MSS)))],
  ["IPv6 hop-by-hop", ethernet(0x86dd, ipv6(0, bytes([17, 0, 1, 4, 0, 0, 0, 0], udp(1000, 53, ascii("d")))))],
  ["IPv6 fragment", ethernet(0x86dd, ipv6(44, bytes([6, 0, 0, 1, 0, 0, 0, 9], tcp(1, 80, SYN, []))))],
  [
    "IPv6 nested options",
    ethernet(
      0x86dd,
      ipv6(
        0,
        bytes([60, 0, 1, 4, 0, 0, 0, 0], [43, 0, 1, 4, 0, 0, 0, 0], [17, 0, 0, 0, 0, 0, 0, 0], udp(3, 4, [])),
      ),
    ),
  ],
  ["ICMPv6", ethernet(0x86dd, ipv6(58, bytes([128, 0], short(0x2222), short(1), short(1))))],
  ["VLAN IPv4", vlan(0x8100, 0x0800, ipv4({ protocol: 17, payload: udp(1000, 2000, ascii("tagged")) }))],
  ["VLAN IPv6", vlan(0x8100, 0x86dd, ipv6(6, tcp(5000, 443, ACK, [])))],
  [
    "two VLANs",
    vlan(
      0x88a8,
      0x8100,
      bytes(short(0x0065), short(0x0800), ipv4({ protocol: 6, payload: tcp(1, 22, SYN, []) })),
    ),
  ],
];

/** Linux's test run wants whole network headers where the type says that there is one. */
const NETWORK_HEADER: Readonly<Record<number, number>> = { 0x0800: 20, 0x86dd: 40 };

function* packets(): Generator<Titled> {
  for (const [title, whole] of WHOLE) {
    const type = ((whole[12] ?? 0) << 8) | (whole[13] ?? 0);
    const least = 14 + (NETWORK_HEADER[type] ?? 0);
    yield { title, bytes: Uint8Array.from(whole) };
    for (
      let length = least;
      length < whole.length;
      length += Math.max(1, Math.floor((whole.length - least) / 6))
    ) {
      yield { title: `${title}, ${length} bytes of it`, bytes: Uint8Array.from(whole.slice(0, length)) };
    }
  }
  yield { title: "a large one", bytes: Uint8Array.from({ length: 1514 }, (_, i) => (i * 7) & 0xff) };
}

/** In a fixed order. */
export const PACKETS: readonly Titled[] = [...packets()];
