/** Which registers an instruction reads and writes, as sets of bits; r10 is in none, since nothing writes it. What is read includes what is only looked at for being initialised. */
import { DO, type Op } from "../op.ts";

const ALL = (1 << 10) - 1;
const ARGUMENTS = 0b111110;
const CALL_WRITES = ARGUMENTS | 1;
const bit = (register: number): number => (1 << register) & ALL;

export function readsOf({ code, dst, src, readsDst, exchange }: Op): number {
  switch (code) {
    case DO.alu:
      return bit(src) | (readsDst ? bit(dst) : 0);
    case DO.aluImm:
      return readsDst ? bit(dst) : 0;
    case DO.jump:
    case DO.store:
    case DO.castAddress:
    case DO.arenaAlu:
      return bit(dst) | bit(src);
    case DO.jumpImm:
    case DO.storeImm:
      return bit(dst);
    case DO.load:
      return bit(src);
    case DO.atomic:
      return bit(dst) | bit(src) | (exchange ? 1 : 0);
    case DO.helper:
    case DO.callback:
    case DO.kernelFunction:
    case DO.subprogram:
      return ARGUMENTS;
    case DO.packet:
      return bit(6);
    case DO.packetIndirect:
      return bit(6) | bit(src);
    case DO.exit:
      return 1;
    default:
      return 0;
  }
}

export function writesOf({ code, dst, src, fetch, exchange }: Op): number {
  switch (code) {
    case DO.alu:
    case DO.aluImm:
    case DO.load:
    case DO.constant:
    case DO.mapFd:
    case DO.mapValue:
    case DO.function:
    case DO.castAddress:
    case DO.arenaAlu:
      return bit(dst);
    case DO.atomic:
      return fetch ? bit(src) : exchange ? 1 : 0;
    case DO.helper:
    case DO.callback:
    case DO.kernelFunction:
    case DO.subprogram:
    case DO.packet:
    case DO.packetIndirect:
      return CALL_WRITES;
    default:
      return 0;
  }
}
