import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../../digit_classifier/web/static/page/history.js";

const HERE = { x: 1, y: 2 };
const THERE = { x: 3, y: 4 };

/** The strokes on the board, as numbers of points. */
function lengths(history) {
  return history.state.strokes.map((stroke) => stroke.length);
}

test("a stroke grows by the points that extend it", () => {
  const history = new History();
  history.begin(HERE);
  history.extend(THERE);
  history.begin(HERE);
  assert.deepEqual(history.state.strokes, [[HERE, THERE], [HERE]]);
});

test("a stroke that is undone while it is drawn extends no other", () => {
  const history = new History();
  history.begin(HERE);
  history.begin(THERE);
  history.undo();
  history.extend(THERE);
  assert.deepEqual(lengths(history), [1]);
  history.redo();
  history.extend(HERE);
  assert.deepEqual(lengths(history), [1, 2]);
});

test("each stroke is undone and redone", () => {
  const history = new History();
  assert.equal(history.canUndo, false);
  history.begin(HERE);
  history.begin(THERE);
  history.undo();
  assert.deepEqual(lengths(history), [1]);
  history.undo();
  assert.deepEqual([history.isEmpty, history.canUndo, history.canRedo], [true, false, true]);
  history.undo();
  history.redo();
  history.redo();
  assert.deepEqual(lengths(history), [1, 1]);
  history.redo();
  assert.deepEqual([lengths(history), history.canRedo], [[1, 1], false]);
});

test("a new stroke drops what was undone", () => {
  const history = new History();
  history.begin(HERE);
  history.begin(THERE);
  history.undo();
  history.begin(THERE);
  assert.equal(history.canRedo, false);
  assert.deepEqual(history.state.strokes, [[HERE], [THERE]]);
});

test("clearing is undone as one step, and an empty board is not cleared", () => {
  const history = new History();
  history.clear();
  assert.equal(history.canUndo, false);
  history.begin(HERE);
  history.begin(THERE);
  history.clear();
  assert.equal(history.isEmpty, true);
  history.undo();
  assert.deepEqual(lengths(history), [1, 1]);
});

test("a picture takes the place of another one and follows a drawing", () => {
  const history = new History();
  history.begin(HERE);
  history.show("one");
  history.show("other");
  assert.deepEqual(history.state, { strokes: [], picture: "other" });
  history.undo();
  assert.deepEqual(history.state, { strokes: [[HERE]], picture: null });
});

test("a drawing takes the place of a picture", () => {
  const history = new History();
  history.show("a picture");
  history.begin(HERE);
  assert.deepEqual(history.state, { strokes: [[HERE]], picture: null });
});

test("at most 199 steps can be undone", () => {
  const history = new History();
  for (let n = 0; n < 300; n += 1) history.begin(HERE);
  let steps = 0;
  for (; history.canUndo; steps += 1) history.undo();
  assert.equal(steps, 199);
  assert.equal(lengths(history).length, 101);
});
