/** The pen of mouse, finger and stylus. */

/** @typedef {import("./drawing.js").Point} Point */

/**
 * @typedef {object} Strokes
 * @property {(point: Point) => void} begin
 * @property {(point: Point) => void} extend
 * @property {() => void} end
 */

const DRAWING_CLASS = "drawing";
const PRIMARY = 1; // among a pointer's buttons
const OTHER_USES = "a, button, label, input, summary, code, [data-panel]";

/**
 * Draw strokes on a canvas. They may begin beside it: a finger's in the sheet's margin, a mouse's
 * anywhere where the press has no other use.
 * @param {HTMLElement} sheet holds the canvas and its margin
 * @param {HTMLCanvasElement} canvas
 * @param {Strokes} strokes
 */
export function listenForStrokes(sheet, canvas, { begin, extend, end }) {
  /** @type {number | null} of the pointer that draws */
  let pointer = null;
  let isPressedBeside = false;

  /** @param {PointerEvent} event */
  function start(event) {
    if (pointer !== null || event.button > 0) return; // a second finger, another button
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    getSelection()?.empty();
    document.documentElement.classList.add(DRAWING_CLASS);
    begin(placeOn(canvas, event));
  }

  /** @param {PointerEvent} event */
  function stop(event) {
    if (event.pointerId !== pointer) return;
    pointer = null;
    document.documentElement.classList.remove(DRAWING_CLASS);
    end();
  }

  sheet.addEventListener("pointerdown", start);
  document.addEventListener("pointerdown", ({ target }) => {
    isPressedBeside = target instanceof Element && !target.closest(OTHER_USES);
  });
  canvas.addEventListener("pointerenter", (event) => {
    const isPressed = event.pointerType !== "touch" && event.buttons === PRIMARY;
    if (isPressed && isPressedBeside) start(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    // what the pointer did since the last frame, not only where it is
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) extend(placeOn(canvas, each));
  });
  canvas.addEventListener("pointerup", stop);
  canvas.addEventListener("pointercancel", stop);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {PointerEvent} event
 * @returns {Point} in shares of the canvas's side
 */
function placeOn(canvas, event) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}
