/** A pen for the keyboard: the arrows move it, space puts it down and up. */

import { PEN_WIDTH } from "./drawing.js";

/** @typedef {import("./drawing.js").Point} Point */

/**
 * What the pen does to the board.
 * @typedef {object} Actions
 * @property {(point: Point) => void} begin
 * @property {(point: Point) => void} extend
 * @property {() => void} end
 * @property {() => void} move called when the pen moves without drawing
 * @property {() => void} undo
 * @property {() => void} clear
 */

const STEP = 1 / 28; // of the side: a pixel of what the model sees

/** @type {Record<string, [number, number]>} */
const ARROWS = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

export class KeyboardPen {
  /** @type {Point} */
  #point = { x: 0.5, y: 0.25 };
  #isDown = false;
  #isShown = false;
  #canvas;
  #actions;
  /** @type {Record<string, () => void>} */
  #keys;

  /**
   * @param {HTMLCanvasElement} canvas takes the keys
   * @param {Actions} actions
   */
  constructor(canvas, actions) {
    this.#canvas = canvas;
    this.#actions = actions;
    this.#keys = {
      " ": () => this.#toggle(),
      Enter: () => this.#toggle(),
      Backspace: actions.undo,
      Delete: actions.clear,
    };
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("focus", () => this.#show(canvas.matches(":focus-visible")));
    canvas.addEventListener("blur", () => {
      this.lift();
      this.#show(false);
    });
  }

  /** Take the pen off the paper. */
  lift() {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#actions.end();
  }

  /**
   * Show where the pen is: a ring, filled while it is down.
   * @param {CanvasRenderingContext2D} context
   * @param {number} side
   */
  paint(context, side) {
    if (!this.#isShown) return;
    context.beginPath();
    context.arc(this.#point.x * side, this.#point.y * side, (PEN_WIDTH * side) / 2, 0, 2 * Math.PI);
    context.strokeStyle = context.fillStyle = getComputedStyle(this.#canvas).accentColor;
    context.lineWidth = side / 100;
    context.stroke();
    if (this.#isDown) context.fill();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const action = this.#actionOf(event);
    if (!action) return;
    event.preventDefault(); // the page stays where it is
    action();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {(() => void) | undefined}
   */
  #actionOf({ key, ctrlKey, metaKey, altKey }) {
    if (altKey || ctrlKey || metaKey) return undefined;
    if (key in ARROWS) return () => this.#move(...ARROWS[key]);
    return this.#keys[key];
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  #move(dx, dy) {
    this.#isShown = true;
    this.#point = { x: within(this.#point.x + dx), y: within(this.#point.y + dy) };
    if (this.#isDown) this.#actions.extend(this.#point);
    else this.#actions.move();
  }

  #toggle() {
    this.#isShown = true;
    if (this.#isDown) {
      this.lift();
      return;
    }
    this.#isDown = true;
    this.#actions.begin(this.#point);
  }

  /** @param {boolean} isShown */
  #show(isShown) {
    this.#isShown = isShown;
    this.#actions.move();
  }
}

/** @param {number} share */
function within(share) {
  return Math.min(1, Math.max(0, share));
}
