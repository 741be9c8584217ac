/**
 * A network namespace for experiments: pairs of devices, programs at their hooks, frames sent and received on them. It is this thread's
 * namespace until it is left; the devices go with the namespace.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import { bpf } from "../bpf.ts";
import { type Argument, call, type Kernel, type Memory } from "../calls.ts";
import { errnoName, KernelError } from "../errno.ts";
import { acknowledged, message, type Request, setUp } from "./netlink.ts";

/** System calls by Node's name of the architecture (asm/unistd.h). */
const NUMBERS = {
  x64: {
    openat: 257,
    write: 1,
    ioctl: 16,
    socket: 41,
    sendto: 44,
    bind: 49,
    recvmsg: 47,
    setsockopt: 54,
    unshare: 272,
    setns: 308,
  },
  arm64: {
    openat: 56,
    write: 64,
    ioctl: 29,
    socket: 198,
    sendto: 206,
    bind: 200,
    recvmsg: 212,
    setsockopt: 208,
    unshare: 97,
    setns: 268,
  },
} as const;

const AT_FDCWD = -100;
const CLONE_NEWNET = 0x4000_0000;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_ATTACH_BPF = 50;
const SO_RCVBUF = 8;
const SOL_PACKET = 263;
const PACKET_AUXDATA = 8;
const PACKET_IGNORE_OUTGOING = 23;
const MSG_DONTWAIT = 0x40;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFFLAGS = 0x8913;
const IFF_RUNNING = 0x40;
const PAUSE_MS = 1;
const LONGEST_MS = 10_000;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const EAGAIN = 11;

const text = (value: string): Memory => ({ bytes: new TextEncoder().encode(`${value}\0`), back: "nothing" });
const given = (bytes: Uint8Array): Memory => ({ bytes, back: "nothing" });
const number32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** A frame as a packet socket receives it. */
export interface Received {
  /** From the link-layer header on; a VLAN tag that the kernel keeps beside the frame is not among them. */
  readonly bytes: Uint8Array;
  /** How long it was before a filter cut it. */
  readonly length: number;
  /** The tag beside the frame: protocol and control information. */
  readonly vlan?: { readonly protocol: number; readonly tci: number };
}

/** Which frames a packet socket receives. */
export interface SocketKind {
  readonly ifindex: number;
  /**
   * Before the ingress hooks of traffic control, of all protocols (`all`), or after them as the network stack would get them, of one protocol
   * (its number).
   */
  readonly protocol: "all" | number;
}

export class NetworkNamespace {
  readonly kernel: Kernel;
  readonly #numbers: (typeof NUMBERS)[keyof typeof NUMBERS];
  readonly #home: number;
  readonly #netlink: number;
  readonly #sender: number;
  readonly #open: number[] = [];

  /** Enters a new namespace. @throws Unsupported  where that cannot be had */
  constructor(kernel: Kernel) {
    const { arch } = kernel;
    if (arch !== "x64" && arch !== "arm64") throw new Unsupported(`network namespaces on ${arch}`);
    this.kernel = kernel;
    this.#numbers = NUMBERS[arch];
    this.#home = this.#descriptor(
      "this thread's network namespace",
      "openat",
      AT_FDCWD,
      text("/proc/thread-self/ns/net"),
      0,
      0,
    );
    const { errno } = this.#call("unshare", CLONE_NEWNET);
    if (errno !== 0) {
      kernel.close(this.#home);
      throw new Unsupported(`a network namespace of one's own (${errnoName(errno)})`);
    }
    try {
      this.#setting("net/ipv6/conf/default/disable_ipv6", "1");
      this.#netlink = this.#descriptor("a netlink socket", "socket", AF_NETLINK, SOCK_RAW, 0);
      this.#sender = this.#descriptor("a packet socket", "socket", AF_PACKET, SOCK_RAW, 0);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  #call(name: keyof (typeof NUMBERS)["x64"], ...values: readonly Argument[]): ReturnType<typeof call> {
    return call(this.kernel, this.#numbers[name], values);
  }

  #expect(what: string, name: keyof (typeof NUMBERS)["x64"], ...values: readonly Argument[]): number {
    const { result, errno } = this.#call(name, ...values);
    if (errno !== 0) throw new KernelError(what, errnoName(errno));
    return result;
  }

  #descriptor(what: string, name: "openat" | "socket", ...values: readonly Argument[]): number {
    const descriptor = this.#expect(what, name, ...values);
    if (what !== "this thread's network namespace") this.#open.push(descriptor);
    return descriptor;
  }

  /** Settings of the namespace that this thread is in. */
  #setting(name: string, value: string): void {
    const { result, errno } = this.#call("openat", AT_FDCWD, text(`/proc/sys/${name}`), 1, 0);
    // A kernel without IPv6 has nothing to switch off.
    if (errno !== 0) return;
    const bytes = new TextEncoder().encode(value);
    this.#expect(name, "write", result, given(bytes), bytes.length);
    this.kernel.close(result);
  }

  /** @throws KernelError  with the errno that the kernel answers */
  request(what: string, request: Request): void {
    const bytes = message(request);
    this.#expect(what, "sendto", this.#netlink, given(bytes), bytes.length, 0, 0, 0);
    const errno = acknowledged(this.#receive(this.#netlink, 0).bytes);
    if (errno === undefined) throw new Error(`${what}: no acknowledgement`);
    if (errno !== 0) throw new KernelError(what, errnoName(errno));
  }

  /** Brings devices up and waits until what is sent on them is sent: Linux sees to that in a thread of its own. @throws KernelError  if it takes too long */
  bringUp(names: readonly string[]): void {
    const up = (name: string): void => this.request(`${name} up`, setUp(this.ifindex(name)));
    for (const name of names) up(name);
    for (const name of names) {
      for (let waited = 0; !this.#isRunning(name); waited += PAUSE_MS) {
        if (waited > LONGEST_MS) throw new KernelError(`${name} up`, "ETIMEDOUT");
        Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
      }
      // One more request waits for the thread to be done with the device.
      up(name);
    }
  }

  #isRunning(name: string): boolean {
    const bytes = new Uint8Array(40);
    new TextEncoder().encodeInto(name, bytes);
    this.#expect(name, "ioctl", this.#sender, SIOCGIFFLAGS, { bytes, back: "all" });
    return (new DataView(bytes.buffer).getUint16(16, true) & IFF_RUNNING) !== 0;
  }

  /** The number of a device of this namespace. */
  ifindex(name: string): number {
    const bytes = new Uint8Array(40);
    new TextEncoder().encodeInto(name, bytes);
    this.#expect(name, "ioctl", this.#sender, SIOCGIFINDEX, { bytes, back: "all" });
    return new DataView(bytes.buffer).getUint32(16, true);
  }

  /** Sends a frame from a device, as the network stack would: egress hooks see it. */
  send(ifindex: number, frame: Uint8Array): void {
    this.#expect(
      "sending",
      "sendto",
      this.#sender,
      given(frame),
      frame.length,
      0,
      given(linkAddress(ifindex, 0)),
      20,
    );
  }

  /** A socket that receives frames coming into a device. @param filter  a socket filter's descriptor */
  listen({ ifindex, protocol }: SocketKind, filter?: number): number {
    const socket = this.#descriptor("a packet socket", "socket", AF_PACKET, SOCK_RAW, 0);
    const option = (level: number, name: number, value: number): void => {
      this.#expect("a packet socket's option", "setsockopt", socket, level, name, given(number32(value)), 4);
    };
    option(SOL_PACKET, PACKET_AUXDATA, 1);
    option(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    option(SOL_SOCKET, SO_RCVBUF, 1 << 22);
    if (filter !== undefined) option(SOL_SOCKET, SO_ATTACH_BPF, filter);
    const address = linkAddress(ifindex, protocol === "all" ? ETH_P_ALL : protocol);
    this.#expect("binding a packet socket", "bind", socket, given(address), address.length);
    return socket;
  }

  /** What has arrived at a socket since it was last asked. */
  received(socket: number): readonly Received[] {
    const frames: Received[] = [];
    for (;;) {
      const next = this.#receive(socket, MSG_DONTWAIT);
      if (next.bytes.length === 0 && next.length === 0) return frames;
      frames.push(next);
    }
  }

  /** The next message of a socket; nothing at all if there is none and the flags say not to wait. */
  #receive(socket: number, flags: number): Received {
    const buffer = new Uint8Array(0x1_0000);
    const control = new Uint8Array(64);
    const vector = new Uint8Array(16);
    new DataView(vector.buffer).setBigUint64(8, BigInt(buffer.length), true);
    const header = new Uint8Array(56);
    const view = new DataView(header.buffer);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(40, BigInt(control.length), true);
    const to = {
      bytes: header,
      back: "all",
      pointers: [
        [16, { bytes: vector, back: "nothing", pointers: [[0, { bytes: buffer, back: "all" }]] }],
        [32, { bytes: control, back: "all" }],
      ],
    } as const satisfies Memory;
    const { result, errno } = this.#call("recvmsg", socket, to, flags);
    if (errno === EAGAIN) return { bytes: new Uint8Array(0), length: 0 };
    if (errno !== 0) throw new KernelError("receiving", errnoName(errno));
    const used = Number(view.getBigUint64(40, true));
    return { bytes: buffer.slice(0, result), ...auxiliary(control.subarray(0, used), result) };
  }

  /** Links a program to a device's tcx hook; it stays until the namespace is left. */
  linkTcx(ifindex: number, direction: "ingress" | "egress", fd: number): void {
    const { result, errno } = bpf(this.kernel, "link_create", {
      prog_fd: fd,
      target_ifindex: ifindex,
      attach_type: TCX[direction],
    });
    if (errno !== undefined) throw new KernelError(`tcx ${direction}`, errno);
    this.#open.push(result);
  }

  /** Back to the namespace that the thread came from; this one's devices go. */
  leave(): void {
    for (const descriptor of this.#open.splice(0)) this.kernel.close(descriptor);
    this.#expect("returning to the network namespace", "setns", this.#home, CLONE_NEWNET);
    this.kernel.close(this.#home);
  }
}

const ETH_P_ALL = 3;
/** linux/bpf.h */
const TCX = { ingress: 46, egress: 47 } as const;

/** `struct sockaddr_ll`. */
function linkAddress(ifindex: number, protocol: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, ifindex, true);
  return bytes;
}

const CMSG_HEADER = 16;
const TP_STATUS_VLAN_VALID = 0x10;

/** `struct tpacket_auxdata` of a control message. */
function auxiliary(control: Uint8Array, captured: number): Omit<Received, "bytes"> {
  const view = new DataView(control.buffer, control.byteOffset, control.length);
  if (control.length < CMSG_HEADER + 20 || view.getInt32(8, true) !== SOL_PACKET) return { length: captured };
  const status = view.getUint32(CMSG_HEADER, true);
  const length = view.getUint32(CMSG_HEADER + 4, true);
  if ((status & TP_STATUS_VLAN_VALID) === 0) return { length };
  const tci = view.getUint16(CMSG_HEADER + 16, true);
  return { length, vlan: { protocol: view.getUint16(CMSG_HEADER + 18, true), tci } };
}
