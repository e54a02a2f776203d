/** A drawing: strokes of points, in shares of its side, and how they are painted. */

/** @typedef {{x: number, y: number}} Point */
/** @typedef {Point[]} Stroke */

/** Width of the pen as a share of the side: a digit that fills the board gets MNIST's strokes. */
export const PEN_WIDTH = 1 / 14;

const SENT_SIDE = 280; // pixels: ten for each of those that the model sees
const INK = "#000";
const PAPER = "#fff";

export class Drawing {
  /** @type {Stroke[]} */
  strokes = [];

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /** @param {Point} point */
  begin(point) {
    this.strokes.push([point]);
  }

  /** @param {Point} point */
  extend(point) {
    this.strokes.at(-1)?.push(point);
  }

  undo() {
    this.strokes.pop();
  }

  clear() {
    this.strokes = [];
  }

  /**
   * Encode the drawing as it is sent: whatever its colours and size on the screen, black on white.
   * @returns {Promise<Blob>}
   */
  async encode() {
    const canvas = new OffscreenCanvas(SENT_SIDE, SENT_SIDE);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("There is no canvas to draw on.");
    context.fillStyle = PAPER;
    context.fillRect(0, 0, SENT_SIDE, SENT_SIDE);
    paint(context, this.strokes, SENT_SIDE, INK);
    return canvas.convertToBlob({ type: "image/png" });
  }
}

/**
 * Paint strokes as smooth curves.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 * @param {number} side of the square, in pixels
 * @param {string} ink
 */
export function paint(context, strokes, side, ink) {
  context.strokeStyle = ink;
  context.lineWidth = PEN_WIDTH * side;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    trace(context, stroke, side);
    context.stroke();
  }
}

/**
 * Draw a curve through the middles of the points' connections: the points bend it, so that the
 * corners between them are round.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} side
 */
function trace(context, stroke, side) {
  const [first, ...others] = stroke.map(({ x, y }) => ({ x: x * side, y: y * side }));
  context.moveTo(first.x, first.y);
  let last = first;
  for (const point of others) {
    context.quadraticCurveTo(last.x, last.y, (last.x + point.x) / 2, (last.y + point.y) / 2);
    last = point;
  }
  context.lineTo(last.x, last.y); // of a single point it makes a dot
}
