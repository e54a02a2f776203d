/** A drawing: strokes of points, in shares of the board's side, and how they are painted. */

import { encodeCanvas, makeCanvas } from "./encoding.js";

/** @typedef {{x: number, y: number}} Point */
/** @typedef {Point[]} Stroke */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

/** Width of the pen on the board, as a share of its side. */
export const PEN_WIDTH = 1 / 14;

const PEN_OF_DIGIT = 1 / 10; // of a digit's height: as wide as MNIST's strokes
const WIDEST_ON_BOARD = 1 / 5; // of a digit's height: the strokes of a tiny digit stay apart
const WIDEST_SHAPE = 3; // times its height, among several: digits may touch
const SMALLEST = 1 / 40; // share of the board's side: a dot is not enlarged to a digit

const DIGIT_SIDE = 196; // pixels sent for a digit's height: seven for each that the model sees
const MARGIN = 42; // pixels around the drawing
const LARGEST = 1280; // pixels on the longest side
const INK = "#000";
const PAPER = "#fff";

/**
 * Encode strokes as they are sent: black on white, each digit as large and its pen as wide as the
 * model knows them, whatever their size on the board.
 * @param {Stroke[]} strokes
 * @returns {Blob}
 */
export function encode(strokes) {
  const { left, top, right, bottom } = union(strokes.map(boxOf));
  const height = digitHeight(strokes);
  const longest = Math.max(right - left, bottom - top);
  const scale = Math.min(DIGIT_SIDE / height, (LARGEST - 2 * MARGIN) / longest);
  const [width, tall] = [sideOf(right - left, scale), sideOf(bottom - top, scale)];
  const { canvas, context } = makeCanvas(width, tall);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, tall);
  context.translate((width - (left + right) * scale) / 2, (tall - (top + bottom) * scale) / 2);
  paint(context, strokes, scale, PEN_OF_DIGIT * height, INK);
  return encodeCanvas(canvas, "image/png");
}

/**
 * @param {number} extent of the drawing, as a share
 * @param {number} scale pixels of a whole
 */
function sideOf(extent, scale) {
  return Math.round(Math.max(DIGIT_SIDE, extent * scale) + 2 * MARGIN);
}

/**
 * Return the width of the pen on the board for a drawing: smaller only where that is tiny.
 * @param {Stroke[]} strokes
 */
export function penOnBoard(strokes) {
  if (!strokes.length) return PEN_WIDTH;
  return Math.min(PEN_WIDTH, WIDEST_ON_BOARD * digitHeight(strokes));
}

/**
 * Paint strokes as smooth curves.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 * @param {number} scale pixels of the board's side
 * @param {number} pen width, as a share of that side
 * @param {string} ink
 */
export function paint(context, strokes, scale, pen, ink) {
  context.strokeStyle = ink;
  context.lineWidth = pen * scale;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    trace(context, stroke, scale);
    context.stroke();
  }
}

/**
 * Draw a curve through the middles of the points' connections: the points bend it, so that the
 * corners between them are round.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} scale
 */
function trace(context, stroke, scale) {
  const [first, ...others] = stroke.map(({ x, y }) => ({ x: x * scale, y: y * scale }));
  context.moveTo(first.x, first.y);
  let last = first;
  for (const point of others) {
    context.quadraticCurveTo(last.x, last.y, (last.x + point.x) / 2, (last.y + point.y) / 2);
    last = point;
  }
  context.lineTo(last.x, last.y); // of a single point it makes a dot
}

/**
 * Estimate how high the digits of a drawing are: the median of the shapes that strokes near each
 * other make, less those of less than half the largest one's height.
 * @param {Stroke[]} strokes
 */
function digitHeight(strokes) {
  const shapes = shapesOf(strokes);
  const widest = shapes.length === 1 ? 1 : WIDEST_SHAPE;
  const heights = shapes
    .map(({ left, top, right, bottom }) => Math.max(bottom - top, (right - left) / widest))
    .sort((one, other) => one - other);
  const digits = heights.filter((height) => height >= heights[heights.length - 1] / 2);
  return Math.max(SMALLEST, digits[Math.floor(digits.length / 2)]);
}

/**
 * Join strokes whose boxes overlap.
 * @param {Stroke[]} strokes
 */
function shapesOf(strokes) {
  /** @type {Box[]} */
  let shapes = [];
  for (const stroke of strokes) {
    const box = boxOf(stroke);
    const near = shapes.filter((shape) => overlap(shape, box));
    shapes = [...shapes.filter((shape) => !near.includes(shape)), union([box, ...near])];
  }
  return shapes;
}

/**
 * @param {Box} one
 * @param {Box} other
 */
function overlap(one, other) {
  return (
    one.left <= other.right &&
    other.left <= one.right &&
    one.top <= other.bottom &&
    other.top <= one.bottom
  );
}

/**
 * @param {Stroke} stroke
 * @returns {Box}
 */
function boxOf(stroke) {
  return union(stroke.map(({ x, y }) => ({ left: x, top: y, right: x, bottom: y })));
}

/**
 * @param {Box[]} boxes
 * @returns {Box}
 */
function union(boxes) {
  return boxes.reduce((one, other) => ({
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  }));
}
