/** Numbers that say how often something may still happen: the measures of loops that the kernel bounds. */
import { idOf, isConstant, setConstant, setUnknown, umaxOf, unlink } from "../register.ts";
import { branchOperators, synchronise, tightAluOperator } from "../scalar/operators.ts";
import { carryLink, tellLinked } from "./links.ts";
import { type Machine, SCRATCH } from "./machine.ts";

/** Makes `at` some number from 0 to `greatest`, which is less than 2^31. */
export function setAtMost(at: number, greatest: number): void {
  setUnknown(at);
  setConstant(SCRATCH.operand, greatest, 0);
  branchOperators("jle", 64).taken(at, SCRATCH.operand);
  synchronise(at);
}

/** It happens once more: the number at `at`, of the machine's state, is one less. Says no, leaving the state spoilt, if it is 0. */
export function countDown(m: Machine, at: number): boolean {
  if (umaxOf(at) === 0) return false;
  setConstant(SCRATCH.operand, 0, 0);
  branchOperators("jne", 64).taken(at, SCRATCH.operand);
  if (synchronise(at) !== 0 || !tellLinked(m.marks, m.state, at)) return false;
  setConstant(SCRATCH.operand, 1, 0);
  if (idOf(at) !== 0) carryLink("sub", 64, at, SCRATCH.operand);
  tightAluOperator("sub", 64)(at, SCRATCH.operand, at);
  if (isConstant(at)) unlink(at);
  return true;
}
