/** The board: a canvas to draw on by pointer or keyboard, which shows pictures as well. */

import { Drawing, paint } from "./drawing.js";
import { KeyboardPen } from "./keyboard_pen.js";

/** @typedef {import("./drawing.js").Point} Point */

export class Board {
  drawing = new Drawing();
  /** @type {ImageBitmap | null} */
  #picture = null;
  /** @type {number | null} of the pointer that draws */
  #pointer = null;
  #frame = 0;
  #canvas;
  #buttons;
  #onChange;
  #pen;

  /**
   * @param {HTMLElement} element holds the canvas and its buttons
   * @param {(isSettled: boolean) => void} onChange called as the drawing changes; settled when the
   *   pen is up
   */
  constructor(element, onChange) {
    this.#canvas = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas"));
    this.#buttons = {
      undo: /** @type {HTMLButtonElement} */ (element.querySelector("[data-undo]")),
      clear: /** @type {HTMLButtonElement} */ (element.querySelector("[data-clear]")),
    };
    this.#onChange = onChange;
    this.#pen = new KeyboardPen(this.#canvas, {
      begin: (point) => this.#begin(point),
      extend: (point) => this.#extend(point),
      end: () => this.#changed(true),
      move: () => this.#repaint(),
      undo: () => this.undo(),
      clear: () => this.clear(),
    });
    this.#listen();
  }

  /** @param {ImageBitmap | null} picture shown instead of the drawing; null for an empty board */
  show(picture) {
    this.drawing.clear();
    this.#picture = picture;
    this.#repaint();
  }

  undo() {
    this.#picture = null;
    this.drawing.undo();
    this.#changed(true);
  }

  clear() {
    this.#picture = null;
    this.drawing.clear();
    this.#changed(true);
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    canvas.addEventListener("pointerup", (event) => this.#release(event));
    canvas.addEventListener("pointercancel", (event) => this.#release(event));
    this.#buttons.undo.addEventListener("click", () => this.undo());
    this.#buttons.clear.addEventListener("click", () => this.clear());
    new ResizeObserver(() => this.#repaint()).observe(canvas);
    // the colours are the style sheet's, which follows the visitor's preference
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (this.#pointer !== null || event.button !== 0) return; // a second finger, another button
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pen.lift();
    this.#begin(this.#place(event));
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (event.pointerId !== this.#pointer) return;
    // what the pointer did since the last frame, not only where it is
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#extend(this.#place(each));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#changed(true);
  }

  /** @param {Point} point */
  #begin(point) {
    this.#picture = null;
    this.drawing.begin(point);
    this.#changed(false);
  }

  /** @param {Point} point */
  #extend(point) {
    this.drawing.extend(point);
    this.#changed(false);
  }

  /** @param {boolean} isSettled */
  #changed(isSettled) {
    this.#repaint();
    this.#onChange(isSettled);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #place(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  #repaint() {
    this.#buttons.undo.disabled = this.drawing.isEmpty;
    this.#buttons.clear.disabled = this.drawing.isEmpty && !this.#picture;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.width = canvas.height = side; // which empties it
    const context = canvas.getContext("2d");
    if (!context) return;
    if (this.#picture) {
      drawInside(context, this.#picture, side);
      return;
    }
    paint(context, this.drawing.strokes, side, getComputedStyle(canvas).color);
    this.#pen.paint(context, side);
  }
}

/**
 * Draw a picture as large as it fits in a square, in its middle.
 * @param {CanvasRenderingContext2D} context
 * @param {ImageBitmap} picture
 * @param {number} side
 */
export function drawInside(context, picture, side) {
  const scale = side / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height);
}
