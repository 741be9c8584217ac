/** What a run did to the world, for people and as JSON. */
import type { Clone, Effects, Redirect } from "../vm/effects.ts";
import type { RemoteControlEvent, TracingEffects } from "../vm/tracing-effects.ts";
import { hexDump, hexOf } from "./hex.ts";

function redirectText(redirect: Redirect): string {
  if (redirect.to === "map")
    return redirect.all ? `all of map ${redirect.map}` : `key ${redirect.key} of map ${redirect.map}`;
  const how = {
    device: "",
    peer: ", its peer",
    neighbour: ", with addresses of its neighbours",
  }[redirect.to];
  const ingress = redirect.to === "device" && redirect.ingress ? ", receiving side" : "";
  return `interface ${redirect.ifindex}${how}${ingress}`;
}

function cloneText({ ifindex, ingress, packet }: Clone): string {
  const side = ingress ? ", receiving side" : "";
  return `  copy sent to interface ${ifindex}${side}, ${packet.length} bytes:\n${hexDump(packet, "    ")}`;
}

function remoteControlText(event: RemoteControlEvent): string {
  switch (event.kind) {
    case "repeat":
      return "the remote control repeats its last key";
    case "key":
      return `key 0x${event.scancode.toString(16)} of the remote control's protocol ${event.protocol}${event.toggle ? ", toggled" : ""}`;
    case "pointer":
      return `the remote control's pointer moves by ${event.x}, ${event.y}`;
  }
}

function tracingText({ signals, writes, remoteControl, sequence, hookResult }: TracingEffects): string {
  return [
    ...signals.map(({ number, to }) => `  signal ${number} to the ${to}\n`),
    ...writes.map(
      ({ address, bytes }) =>
        `  wrote ${bytes.length} bytes at 0x${address.toString(16)}:\n${hexDump(bytes, "    ")}`,
    ),
    ...remoteControl.map((event) => `  ${remoteControlText(event)}\n`),
    sequence === "" ? "" : `  wrote for the iterator's reader: ${JSON.stringify(sequence)}\n`,
    hookResult === undefined ? "" : `  the hook returns ${hookResult}\n`,
  ].join("");
}

/** A line or more for each effect; nothing if there was none. */
export function effectsText({ redirect, clones, tracing }: Effects): string {
  return [
    redirect === undefined ? "" : `  redirected to ${redirectText(redirect)}\n`,
    ...clones.map(cloneText),
    tracing === undefined ? "" : tracingText(tracing),
  ].join("");
}

/** Fields for each kind of effect that there was. */
export function effectsJson({ redirect, clones, tracing }: Effects): object {
  return {
    ...(redirect === undefined ? {} : { redirect: redirectJson(redirect) }),
    ...(clones.length === 0
      ? {}
      : {
          clones: clones.map(({ ifindex, ingress, packet }) => ({
            ifindex,
            ingress,
            packet: hexOf(packet),
          })),
        }),
    ...(tracing === undefined ? {} : tracingJson(tracing)),
  };
}

function redirectJson(redirect: Redirect): object {
  if (redirect.to !== "neighbour" || redirect.nextHop === undefined) return redirect;
  const { family, address } = redirect.nextHop;
  return { ...redirect, nextHop: { family, address: hexOf(address) } };
}

function tracingJson({ signals, writes, remoteControl, sequence, hookResult }: TracingEffects): object {
  return {
    ...(signals.length === 0 ? {} : { signals }),
    ...(writes.length === 0
      ? {}
      : {
          writes: writes.map(({ address, bytes }) => ({
            address: `0x${address.toString(16)}`,
            bytes: hexOf(bytes),
          })),
        }),
    ...(remoteControl.length === 0 ? {} : { remote_control: remoteControl.map(remoteControlText) }),
    ...(sequence === "" ? {} : { sequence }),
    ...(hookResult === undefined ? {} : { hook_result: hookResult }),
  };
}
