/** Registers and slots as Linux 6.18 printed them. */
import { describe, expect, it } from "vitest";
import {
  constantBounds,
  type LogBounds,
  NO_BOUNDS,
  readRegister,
  readSlot,
  UnreadableText,
} from "./register-text.ts";

const scalar = (bounds: Partial<LogBounds>, more: object = {}) => ({
  kind: "scalar",
  bounds: { ...NO_BOUNDS, ...bounds },
  id: 0,
  delta: 0,
  precise: false,
  ...more,
});

const pointer = (type: string, more: object = {}) => ({
  kind: "pointer",
  type,
  off: 0,
  bounds: constantBounds(0n),
  id: 0,
  range: 0,
  fields: new Map(),
  ...more,
});

describe("registers", () => {
  it("reads numbers: small ones are decimal, others hexadecimal", () => {
    for (const [text, value] of [
      ["5", 5n],
      ["-40", -40n],
      ["0x12345678", 0x12345678n],
      ["0xffffffffffff63c0", -40000n],
    ] as const) {
      expect(readRegister(text)).toEqual({ ...scalar({}), bounds: constantBounds(value) });
    }
    expect(constantBounds(-1n)).toMatchObject({
      umax: 2n ** 64n - 1n,
      smax: -1n,
      umin32: 2n ** 32n - 1n,
      smin32: -1n,
    });
  });

  it("takes what is left out for the end of its type", () => {
    expect(readRegister("scalar()")).toEqual(scalar({}));
    expect(readRegister("scalar(smin=-5)")).toEqual(scalar({ smin: -5n }));
    expect(readRegister("scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))")).toEqual(
      scalar({ smin: 0n, smax: 0xffffffffn, umax: 0xffffffffn, mask: 0xffffffffn }),
    );
  });

  it("gives equal ends their number, in their own width", () => {
    expect(
      readRegister("scalar(smin=smin32=-300,smax=smax32=-45,umin=0xfffffffffffffed4,umin32=0xfffffed4)"),
    ).toEqual(
      scalar({
        smin: -300n,
        smin32: -300n,
        smax: -45n,
        smax32: -45n,
        umin: 2n ** 64n - 300n,
        umin32: 2n ** 32n - 300n,
      }),
    );
    expect(readRegister("scalar(smin32=umin32=0xfeaaab24)")).toEqual(
      scalar({ smin32: 0xfeaaab24n - 2n ** 32n, umin32: 0xfeaaab24n }),
    );
  });

  it("reads ids, constant differences and precision", () => {
    expect(readRegister("scalar(id=1+7)")).toEqual(scalar({}, { id: 1, delta: 7 }));
    expect(readRegister("scalar(id=12-300)")).toEqual(scalar({}, { id: 12, delta: -300 }));
    expect(readRegister("Pscalar(id=3,umax=7)")).toEqual(scalar({ umax: 7n }, { id: 3, precise: true }));
    expect(readRegister("P0")).toMatchObject({ precise: true, bounds: constantBounds(0n) });
  });

  it("reads pointers with their fields", () => {
    expect(readRegister("ctx()")).toEqual(pointer("ctx"));
    expect(readRegister("fp0")).toEqual(pointer("fp"));
    expect(readRegister("arena")).toEqual(pointer("arena"));
    expect(readRegister("fp-16")).toEqual(pointer("fp", { off: -16 }));
    expect(readRegister("fp[0]-8")).toEqual(pointer("fp", { off: -8, frame: 0 }));
    expect(readRegister("pkt(off=16,r=16)")).toEqual(pointer("pkt", { off: 16, range: 16 }));
    expect(readRegister("pkt(off=32,r=0xfffffffffffffffe)")).toEqual(pointer("pkt", { off: 32, range: -2 }));
    expect(readRegister("map_value_or_null(id=2,map=h,ks=4,vs=16)")).toEqual(
      pointer("map_value_or_null", {
        id: 2,
        fields: new Map([
          ["map", "h"],
          ["ks", "4"],
          ["vs", "16"],
        ]),
      }),
    );
    expect(readRegister("map_value(map=m,ks=4,vs=8,imm=4)")).toMatchObject({ bounds: constantBounds(4n) });
    expect(readRegister("pkt(id=3,r=0,smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))")).toEqual(
      pointer("pkt", {
        id: 3,
        bounds: { ...NO_BOUNDS, smin: 0n, smin32: 0n, smax: 7n, umax: 7n, smax32: 7n, umax32: 7n, mask: 7n },
      }),
    );
  });

  // Lines of logs of Linux 5.10.0-32 and 6.1.0-50.
  it("reads what earlier kernels print", () => {
    expect(readRegister("inv(id=0,umax_value=65535,var_off=(0x0; 0xffff))")).toEqual(
      scalar({ umax: 65535n, mask: 0xffffn }),
    );
    expect(readRegister("inv0")).toMatchObject({ precise: false, bounds: constantBounds(0n) });
    expect(readRegister("invP-8")).toMatchObject({ precise: true, bounds: constantBounds(-8n) });
    expect(readRegister("invP(id=2)")).toEqual(scalar({}, { id: 2, precise: true }));
    expect(readRegister("scalar(umax=4294967295,s32_min=-8,u32_max=7)")).toEqual(
      scalar({ umax: 0xffffffffn, smin32: -8n, umax32: 7n }),
    );
    expect(readRegister("map_value(id=0,off=0,ks=4,vs=64,imm=0)")).toMatchObject({
      type: "map_value",
      bounds: constantBounds(0n),
    });
  });

  it.each(["", "scalar(", "scalar(umax=)", "scalar(umax=07)", "scalar(off=4)", "0x", "scalar(u16_max=4)"])(
    "refuses %j",
    (text) => {
      expect(() => readRegister(text)).toThrow(UnreadableText);
    },
  );
});

describe("stack slots", () => {
  it("reads bytes", () => {
    expect(readSlot("m???????")).toEqual({ bytes: "m???????" });
    expect(readSlot("00000000")).toEqual({ bytes: "00000000" });
  });

  it("reads spilled registers of 8, 4, 2 and 1 bytes", () => {
    expect(readSlot("ctx()")).toEqual({ bytes: "", spilled: pointer("ctx") });
    expect(readSlot("0")).toMatchObject({ bytes: "", spilled: { bounds: constantBounds(0n) } });
    expect(readSlot("????scalar(id=2)")).toEqual({ bytes: "????", spilled: scalar({}, { id: 2 }) });
    expect(readSlot("mmmm5")).toMatchObject({ bytes: "mmmm", spilled: { bounds: constantBounds(5n) } });
    expect(readSlot("00000")).toMatchObject({ bytes: "0000", spilled: { bounds: constantBounds(0n) } });
    expect(readSlot("000012")).toMatchObject({ bytes: "0000", spilled: { bounds: constantBounds(12n) } });
    expect(readSlot("??????P3")).toMatchObject({ bytes: "??????", spilled: { precise: true } });
    expect(readSlot("???????scalar(umax=7)")).toMatchObject({ bytes: "???????" });
  });

  it("refuses others", () => {
    expect(() => readSlot("mm")).toThrow(UnreadableText);
    expect(() => readSlot("")).toThrow(UnreadableText);
  });
});
