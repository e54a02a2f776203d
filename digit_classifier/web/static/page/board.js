/** The board: a canvas to draw on by pointer or keyboard, which shows pictures as well. */

import { paint, penOnBoard } from "./drawing.js";
import { one } from "./elements.js";
import { History } from "./history.js";
import { KeyboardPen } from "./keyboard_pen.js";
import { listenForStrokes } from "./pointer_pen.js";

/** @typedef {import("./drawing.js").Point} Point */
/** @typedef {import("./shrink.js").Prepared} Prepared */

export class Board {
  #history = new History();
  #frame = 0;
  #penWidth = penOnBoard([]);
  #element;
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
    this.#element = element;
    this.#canvas = /** @type {HTMLCanvasElement} */ (one(element, "canvas"));
    this.#buttons = {
      undo: /** @type {HTMLButtonElement} */ (one(element, "[data-undo]")),
      redo: /** @type {HTMLButtonElement} */ (one(element, "[data-redo]")),
      clear: /** @type {HTMLButtonElement} */ (one(element, "[data-clear]")),
    };
    this.#onChange = onChange;
    const strokes = {
      begin: (/** @type {Point} */ point) => this.#begin(point),
      extend: (/** @type {Point} */ point) => this.#extend(point),
      end: () => this.#changed(true),
    };
    this.#pen = new KeyboardPen(this.#canvas, {
      ...strokes,
      move: () => this.#repaint(),
      undo: () => this.undo(),
      clear: () => this.clear(),
    });
    listenForStrokes(one(element, "[data-sheet]"), this.#canvas, {
      ...strokes,
      begin: (point) => {
        this.#pen.lift();
        this.#begin(point);
      },
    });
    this.#listen();
  }

  get isEmpty() {
    return this.#history.isEmpty;
  }

  get strokes() {
    return this.#history.state.strokes;
  }

  /** The picture that is shown instead of a drawing. */
  get picture() {
    return this.#history.state.picture;
  }

  /** @param {Prepared} picture */
  show(picture) {
    this.#history.show(picture);
    this.#repaint();
  }

  undo() {
    this.#step(() => this.#history.undo());
  }

  redo() {
    this.#step(() => this.#history.redo());
  }

  clear() {
    this.#step(() => this.#history.clear());
  }

  #listen() {
    this.#buttons.undo.addEventListener("click", () => this.undo());
    this.#buttons.redo.addEventListener("click", () => this.redo());
    this.#buttons.clear.addEventListener("click", () => this.clear());
    document.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => this.#repaint()).observe(this.#canvas);
    // the colours are the style sheet's, which follows the visitor's preference
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.redo();
    else this.undo();
  }

  /** @param {() => void} change in the history */
  #step(change) {
    const before = this.#history.state;
    this.#pen.lift();
    change();
    if (this.#history.state !== before) this.#changed(true);
  }

  /** @param {Point} point */
  #begin(point) {
    this.#history.begin(point);
    this.#changed(false);
  }

  /** @param {Point} point */
  #extend(point) {
    this.#history.extend(point);
    this.#changed(false);
  }

  /** @param {boolean} isSettled */
  #changed(isSettled) {
    const fitting = penOnBoard(this.strokes);
    // under the hand, the strokes get no thinner
    this.#penWidth = isSettled ? fitting : Math.max(this.#penWidth, fitting);
    this.#repaint();
    this.#onChange(isSettled);
  }

  #repaint() {
    this.#buttons.undo.disabled = !this.#history.canUndo;
    this.#buttons.redo.disabled = !this.#history.canRedo;
    this.#buttons.clear.disabled = this.isEmpty;
    this.#element.classList.toggle("empty", this.isEmpty);
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.width = canvas.height = side; // which empties it
    const context = canvas.getContext("2d");
    if (!context) return;
    if (this.picture) {
      if (this.picture.picture) drawInside(context, this.picture.picture, side);
      return;
    }
    paint(context, this.strokes, side, this.#penWidth, getComputedStyle(canvas).color);
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
