/** The pool: as many questions at a time as there are places, in turn. */
import { expect, test } from "vitest";
import { Pool } from "./pool.ts";
import type { Answer, Question } from "./question.ts";
import { fakeSolver } from "./testing.ts";

const UNSAT: Answer = { result: "unsat" };
const question = (text: string): Question => ({ text, logic: "bits", timeoutMs: 1000, wanted: [] });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("no more at a time than there are places; a solver a place; first come, first served", async () => {
  let working = 0;
  let most = 0;
  let made = 0;
  const order: string[] = [];
  const make = () => {
    made += 1;
    return fakeSolver(async ({ text }) => {
      order.push(text);
      working += 1;
      most = Math.max(most, working);
      await pause(5);
      working -= 1;
      return UNSAT;
    });
  };
  const pool = new Pool(2, () => performance.now());
  const texts = ["a", "b", "c", "d", "e"];
  const timed = await Promise.all(texts.map(async (text) => pool.ask(make, question(text))));
  expect(
    timed.every(({ answer, seconds, solver }) => answer === UNSAT && seconds > 0 && solver === "fake 1"),
  ).toBe(true);
  expect([most, made, order]).toEqual([2, 2, texts]);
});

test("more is wanted once fewer wait than there are places", async () => {
  const pool = new Pool(1, () => 0);
  const release: (() => void)[] = [];
  const make = () => fakeSolver(() => new Promise<Answer>((resolve) => release.push(() => resolve(UNSAT))));
  const asked = ["a", "b"].map(async (text) => pool.ask(make, question(text)));
  let hungry = false;
  const waiting = pool.hungry().then(() => {
    hungry = true;
  });
  await pause(1);
  expect(hungry).toBe(false);
  release.shift()?.();
  await waiting;
  await pause(1);
  release.shift()?.();
  await Promise.all(asked);
});

test("what is not wanted any more is not asked, and nothing after the end", async () => {
  const pool = new Pool(1, () => 0);
  const asked: string[] = [];
  const make = () =>
    fakeSolver(async ({ text }) => {
      asked.push(text);
      await pause(1);
      return UNSAT;
    });
  const enough = new AbortController();
  const first = pool.ask(make, question("first"));
  const second = pool.ask(make, question("second"), enough.signal);
  enough.abort();
  expect((await first).answer).toBe(UNSAT);
  expect((await second).answer).toEqual({ result: "error", message: "not asked" });
  pool.stop();
  expect((await pool.ask(make, question("third"))).answer).toEqual({ result: "error", message: "not asked" });
  expect(asked).toEqual(["first"]);
});
