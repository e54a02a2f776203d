/** A number: when it is read, and the picture with a box for each digit. */

import { Refusal } from "./client.js";
import { copyOf, one } from "./elements.js";

/** @typedef {import("./client.js").Answer} Answer */
/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./client.js").Options} Options */
/** @typedef {import("./client.js").Reading} Reading */
/** @typedef {[number, number, number, number]} Box left, top, width, height */

/**
 * Read all digits of an image that may hold several.
 * @param {Client} client
 * @param {Answer} answer about the image as one digit
 * @param {Blob} image
 * @param {Options} options
 * @returns {Promise<Reading | null>} null where there is one digit, or none
 */
export async function readNumber(client, answer, image, options) {
  if (!mayBeNumber(answer, options)) return null;
  try {
    const reading = await client.read(image, options);
    return hasSeveral(reading) && (sawSeveral(answer) || isPlausible(reading)) ? reading : null;
  } catch (error) {
    if (error instanceof Refusal && !error.canRetry) return null;
    throw error;
  }
}

/**
 * @param {Answer} answer
 * @param {Options} options
 */
function mayBeNumber(answer, { purpose }) {
  // a drawing that is not finished is often no digit yet
  return sawSeveral(answer) || !(answer.accepted || purpose === "live");
}

/** @param {Answer} answer */
function sawSeveral({ warnings }) {
  return warnings.includes("several_digits");
}

/** @param {Reading} reading */
function isPlausible({ words }) {
  const digits = words.digits.flat();
  return 2 * digits.filter(({ doubtful }) => doubtful).length < digits.length;
}

/** @param {Reading} reading */
function hasSeveral(reading) {
  return reading.rows.flatMap((row) => row.digits).length > 1;
}

/**
 * Return the digits in one line.
 * @param {Reading} number
 */
export function textOf(number) {
  return number.words.lines.join(" ");
}

export class NumberBoxes {
  #element;
  #boxes;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#boxes = one(element, "[data-boxes]");
  }

  /** @param {Reading | null} reading null where the answer is no number */
  show(reading) {
    this.#element.hidden = !reading;
    for (const box of this.#boxes.querySelectorAll("g")) box.remove();
    if (!reading) return;
    const { picture, width, height } = reading.explanation;
    const image = /** @type {HTMLImageElement} */ (one(this.#element, "[data-boxed]"));
    image.src = picture;
    image.hidden = false;
    one(this.#element, "[data-number-source]").textContent = reading.words.source;
    for (const [index, row] of reading.rows.entries()) {
      for (const [place, digit] of row.digits.entries()) {
        const words = reading.words.digits[index][place];
        this.#boxes.append(boxOf(words, digit.box, [width, height, width, height]));
      }
    }
  }
}

/**
 * @param {{text: string, doubtful: boolean}} words
 * @param {Box} box
 * @param {Box} whole of the picture, to which the box refers
 */
function boxOf({ text, doubtful }, box, whole) {
  const element = one(copyOf("[data-box]"), "g");
  element.setAttribute("aria-label", text);
  element.classList.toggle("doubtful", doubtful);
  one(element, "text").textContent = text;
  const rect = one(element, "rect");
  for (const [index, name] of ["x", "y", "width", "height"].entries())
    rect.setAttribute(name, `${(box[index] / whole[index]) * 100}%`);
  return element;
}
