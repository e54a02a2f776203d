import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { setImmediate } from "node:timers";

import { Latest } from "../../../digit_classifier/web/static/page/latest.js";

const PAUSE = 200; // milliseconds between tasks that come soon
const finished = () => new Promise((resolve) => setImmediate(resolve));

/** A task that runs until it is ended, and what became of it. */
function running(name, runs) {
  const run = { name };
  const task = (signal) => {
    runs.push(name);
    run.signal = signal;
    return new Promise((resolve, reject) => Object.assign(run, { resolve, reject }));
  };
  return Object.assign(run, { task });
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

test("of the tasks that come during a pause, the last one runs after it", () => {
  const runs = [];
  const latest = new Latest(assert.fail);
  latest.soon(running("first", runs).task);
  latest.soon(running("second", runs).task);
  mock.timers.tick(PAUSE - 1);
  assert.deepEqual(runs, []);
  mock.timers.tick(1);
  assert.deepEqual(runs, ["second"]);
});

test("a task that comes while another one runs waits for its end and a pause", async () => {
  const runs = [];
  const latest = new Latest(assert.fail);
  const first = running("first", runs);
  latest.now(first.task);
  latest.soon(running("second", runs).task);
  mock.timers.tick(10 * PAUSE);
  assert.deepEqual(runs, ["first"]);
  first.resolve();
  await finished();
  mock.timers.tick(PAUSE);
  assert.deepEqual(runs, ["first", "second"]);
  assert.equal(first.signal.aborted, false);
});

test("a task that runs at once ends the others", async () => {
  const runs = [];
  const latest = new Latest(assert.fail);
  const first = running("first", runs);
  latest.now(first.task);
  latest.soon(running("waiting", runs).task);
  latest.now(running("now", runs).task);
  assert.equal(first.signal.aborted, true);
  first.reject(new Error("of a task that is not wanted any more"));
  await finished();
  mock.timers.tick(10 * PAUSE);
  assert.deepEqual(runs, ["first", "now"]);
});

test("nothing runs after a stop", () => {
  const runs = [];
  const latest = new Latest(assert.fail);
  latest.soon(running("waiting", runs).task);
  latest.stop();
  mock.timers.tick(10 * PAUSE);
  assert.deepEqual(runs, []);
});

test("a task after a stop has a whole pause before it", () => {
  const runs = [];
  const latest = new Latest(assert.fail);
  latest.soon(running("waiting", runs).task);
  mock.timers.tick(PAUSE - 1);
  latest.stop();
  latest.soon(running("second", runs).task);
  mock.timers.tick(PAUSE - 1);
  assert.deepEqual(runs, []);
  mock.timers.tick(1);
  assert.deepEqual(runs, ["second"]);
});

test("the error of a task is handed on, and the next task runs", async () => {
  const runs = [];
  const errors = [];
  const latest = new Latest((error) => errors.push(error.message));
  const first = running("first", runs);
  latest.now(first.task);
  first.reject(new Error("no answer"));
  await finished();
  assert.deepEqual(errors, ["no answer"]);
  latest.soon(running("second", runs).task);
  mock.timers.tick(PAUSE);
  assert.deepEqual(runs, ["first", "second"]);
});
