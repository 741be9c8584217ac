/** Helpers of decoders for infrared remote controls: what they tell the kernel that they have recognised. */
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** The last key again. */
function repeat(call: Call): number {
  call.context(1);
  call.run.tracing.remoteControl.push({ kind: "repeat" });
  return 0;
}

function keyDown(call: Call): number {
  call.context(1);
  const protocol = call.u32(2, "protocol");
  const scancode = call.u64(3, "scancode");
  const toggle = call.u32(4, "toggle") !== 0;
  call.run.tracing.remoteControl.push({ kind: "key", protocol, scancode, toggle });
  return 0;
}

function pointerMoved(call: Call): number {
  call.context(1);
  const [x, y] = [call.i32(2, "rel_x"), call.i32(3, "rel_y")];
  call.run.tracing.remoteControl.push({ kind: "pointer", x, y });
  return 0;
}

export const REMOTE_CONTROL_HELPERS: HelperTable = {
  rc_repeat: repeat,
  rc_keydown: keyDown,
  rc_pointer_rel: pointerMoved,
};
