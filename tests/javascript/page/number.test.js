import assert from "node:assert/strict";
import { test } from "node:test";

import { Refusal } from "../../../digit_classifier/web/static/page/client.js";
import { digitOf } from "../../../digit_classifier/web/static/page/models.js";
import { readNumber, textOf } from "../../../digit_classifier/web/static/page/number.js";

const SURE = { accepted: true, prediction: 4, warnings: [] };
const UNSURE = { accepted: false, prediction: 4, warnings: [] };
const SEVERAL = { accepted: false, prediction: 4, warnings: ["several_digits"] };

/** A reading of digits in one row, each doubtful or not. */
function reading(...doubtful) {
  const digits = doubtful.map((isDoubtful) => ({ text: "4", doubtful: isDoubtful }));
  return { rows: [{ digits }], words: { digits: [digits], lines: ["4".repeat(digits.length)] } };
}

/** Ask for a number where one digit has this answer; count how often the service is asked. */
async function ask(answer, result, options = {}) {
  let asked = 0;
  const read = async () => {
    asked += 1;
    if (result instanceof Error) throw result;
    return result;
  };
  return { number: await readNumber({ read }, answer, new Blob(), options), asked };
}

test("a digit that is accepted is not read as a number", async () => {
  assert.deepEqual(await ask(SURE, reading(false, false)), { number: null, asked: 0 });
});

test("an unfinished drawing is read as a number only where several digits were seen", async () => {
  const live = { purpose: "live" };
  assert.equal((await ask(UNSURE, reading(false, false), live)).asked, 0);
  assert.equal((await ask(SEVERAL, reading(false, false), live)).asked, 1);
});

test("two digits are a number, and one is a digit", async () => {
  const two = reading(false, false);
  assert.equal((await ask(UNSURE, two)).number, two);
  assert.equal((await ask(SEVERAL, reading(false))).number, null);
});

test("a number of doubtful digits counts only where several digits were seen", async () => {
  const doubtful = reading(true, false);
  assert.equal((await ask(UNSURE, doubtful)).number, null);
  assert.equal((await ask(SEVERAL, doubtful)).number, doubtful);
});

test("a number that is refused leaves the answer as one digit, a fault does not", async () => {
  assert.equal((await ask(SEVERAL, new Refusal("not read", "", false))).number, null);
  const fault = new Refusal("failed", "", true);
  await assert.rejects(ask(SEVERAL, fault), fault);
});

test("rows are one line of text, and a model's digit is one sign", () => {
  assert.equal(textOf({ words: { lines: ["20", "24"] } }), "20 24");
  assert.deepEqual([digitOf(SURE), digitOf(UNSURE)], ["4", "–"]);
});
