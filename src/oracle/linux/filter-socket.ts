/**
 * Sockets of the running kernel with filters on them: what a filter keeps of a datagram, and whether the kernel takes the filter at all. A pair is of UNIX sockets,
 * where the filter sees the payload alone and no device; of UDP sockets over the loopback device, where it sees the UDP header first and the IPv4 and
 * Ethernet headers before it; or of packet sockets on two devices that are connected, where it sees the frame.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { type Argument, call, type Kernel, type Memory } from "./calls.ts";
import { errnoName, KernelError } from "./errno.ts";

/** System calls by Node's name of the architecture (asm/unistd.h). */
const NUMBERS = {
  x64: {
    socket: 41,
    connect: 42,
    sendto: 44,
    recvfrom: 45,
    bind: 49,
    getsockname: 51,
    socketpair: 53,
    setsockopt: 54,
  },
  arm64: {
    socket: 198,
    connect: 203,
    sendto: 206,
    recvfrom: 207,
    bind: 200,
    getsockname: 204,
    socketpair: 199,
    setsockopt: 208,
  },
} as const;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_ATTACH_BPF = 50;
const SO_MARK = 36;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const LOOPBACK = [127, 0, 0, 1] as const;
/** How often a socket is asked for a frame that is on its way: some seconds. */
const PATIENCE = 2_000_000;
/** More than any datagram sent here. */
const LARGEST = 65_536;

const given = (bytes: Uint8Array, pointers?: Memory["pointers"]): Memory => ({
  bytes,
  back: "nothing",
  ...(pointers === undefined ? {} : { pointers }),
});
const number32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** For frames, the numbers of the devices that they are sent from and come in at. */
export type SocketKind = "unix" | "udp" | { readonly from: number; readonly to: number };

/** `struct sockaddr_ll`: all that comes in at a device, or goes out of it. */
function linkAddress(ifindex: number, protocol: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, ifindex, true);
  return bytes;
}

/** `struct sockaddr_in` of the loopback device. @param port in the order of the bytes that the kernel gave, or two zeros */
const inetAddress = (port: ArrayLike<number>): Uint8Array =>
  Uint8Array.from([AF_INET, 0, port[0] ?? 0, port[1] ?? 0, ...LOOPBACK, ...new Uint8Array(8)]);

export class FilterSocket {
  readonly #kernel: Kernel;
  readonly #numbers: (typeof NUMBERS)[keyof typeof NUMBERS];
  readonly #open: number[] = [];
  readonly #sender: number;
  readonly #receiver: number;
  /** Receives all that the receiver is offered: frames take a while. */
  readonly #witness: number | undefined;
  readonly #buffer = new Uint8Array(LARGEST);

  constructor(kernel: Kernel, kind: SocketKind) {
    const { arch } = kernel;
    if (arch !== "x64" && arch !== "arm64") throw new Unsupported(`filters of sockets on ${arch}`);
    this.#kernel = kernel;
    this.#numbers = NUMBERS[arch];
    if (kind === "unix") [this.#sender, this.#receiver] = this.#unixPair();
    else if (kind === "udp") [this.#sender, this.#receiver] = this.#udpPair();
    else {
      // Sockets get a frame in the reverse order of their binding: when the witness has it, the receiver's filter has been asked.
      this.#witness = this.#packetSocket(kind.to, ETH_P_ALL);
      this.#receiver = this.#packetSocket(kind.to, ETH_P_ALL);
      this.#sender = this.#packetSocket(kind.from, 0);
    }
  }

  #call(name: keyof (typeof NUMBERS)["x64"], ...values: readonly Argument[]): ReturnType<typeof call> {
    return call(this.#kernel, this.#numbers[name], values);
  }

  #expect(name: keyof (typeof NUMBERS)["x64"], ...values: readonly Argument[]): number {
    const { result, errno } = this.#call(name, ...values);
    if (errno === 0) return result;
    this.close();
    throw new KernelError(name, errnoName(errno));
  }

  #unixPair(): readonly [sender: number, receiver: number] {
    const pair = new Uint8Array(8);
    this.#expect("socketpair", AF_UNIX, SOCK_DGRAM, 0, { bytes: pair, back: "all" });
    const view = new DataView(pair.buffer);
    const ends = [view.getInt32(0, true), view.getInt32(4, true)] as const;
    this.#open.push(...ends);
    return ends;
  }

  #udpPair(): readonly [sender: number, receiver: number] {
    const receiver = this.#expect("socket", AF_INET, SOCK_DGRAM, 0);
    this.#open.push(receiver);
    const sender = this.#expect("socket", AF_INET, SOCK_DGRAM, 0);
    this.#open.push(sender);
    const address = inetAddress([0, 0]);
    this.#expect("bind", receiver, given(address), address.length);
    this.#expect("bind", sender, given(address), address.length);
    const port = (of: number): Uint8Array => {
      const name = new Uint8Array(16);
      this.#expect("getsockname", of, { bytes: name, back: "all" }, { bytes: number32(16), back: "all" });
      return name.slice(2, 4);
    };
    const to = inetAddress(port(receiver));
    this.#expect("connect", sender, given(to), to.length);
    // Nobody else's datagrams.
    const from = inetAddress(port(sender));
    this.#expect("connect", receiver, given(from), from.length);
    return [sender, receiver];
  }

  /** @param protocol of what it receives; 0 for one that only sends */
  #packetSocket(ifindex: number, protocol: number): number {
    const socket = this.#expect("socket", AF_PACKET, SOCK_RAW, 0);
    this.#open.push(socket);
    this.#expect("setsockopt", socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, given(number32(1)), 4);
    const address = linkAddress(ifindex, protocol);
    this.#expect("bind", socket, given(address), address.length);
    return socket;
  }

  /** Puts a classic filter on the receiving side. @param filter `struct sock_filter`s @returns the error's name, or undefined */
  attach(filter: Uint8Array): string | undefined {
    const program = new Uint8Array(16);
    // The kernel reads 16 bits of the length: what does not fit would be another filter.
    const length = filter.length / 8;
    if (length > 0xffff) throw new Error(`${length} instructions do not fit into a struct sock_fprog`);
    new DataView(program.buffer).setUint16(0, length, true);
    const pointers: Memory["pointers"] = [[8, given(filter)]];
    const option = given(program, pointers);
    const { errno } = this.#call("setsockopt", this.#receiver, SOL_SOCKET, SO_ATTACH_FILTER, option, 16);
    return errno === 0 ? undefined : errnoName(errno);
  }

  /** Puts a loaded program of type socket_filter on the receiving side. */
  attachProgram(descriptor: number): void {
    this.#expect("setsockopt", this.#receiver, SOL_SOCKET, SO_ATTACH_BPF, given(number32(descriptor)), 4);
  }

  /** Sets the mark of what is sent from now on. */
  mark(mark: number): void {
    this.#expect("setsockopt", this.#sender, SOL_SOCKET, SO_MARK, given(number32(mark)), 4);
  }

  /**
   * Sends a datagram or frame.
   *
   * @returns what arrived of it, cut by the filter; `undefined` if the filter dropped it
   * @throws KernelError  for one that the kernel does not send
   */
  pass(payload: Uint8Array): Uint8Array | undefined {
    // A stretch of V8's own memory could move: an empty one has no address at all.
    const bytes = payload.length === 0 ? new Uint8Array(1) : payload;
    const { errno } = this.#call("sendto", this.#sender, given(bytes), payload.length, 0, 0, 0);
    if (errno !== 0) throw new KernelError("sendto", errnoName(errno));
    if (this.#witness !== undefined) this.#await(this.#witness);
    return this.#receive(this.#receiver);
  }

  #await(socket: number): void {
    for (let tries = 0; tries < PATIENCE; tries++) if (this.#receive(socket) !== undefined) return;
    throw new Error("a frame was sent and did not come in");
  }

  #receive(socket: number): Uint8Array | undefined {
    const memory: Memory = { bytes: this.#buffer, back: "all" };
    const { result, errno } = this.#call("recvfrom", socket, memory, LARGEST, MSG_DONTWAIT, 0, 0);
    if (errno === EAGAIN) return undefined;
    if (errno !== 0) throw new KernelError("recvfrom", errnoName(errno));
    return this.#buffer.slice(0, result);
  }

  close(): void {
    for (const descriptor of this.#open.splice(0)) this.#kernel.close(descriptor);
  }
}
