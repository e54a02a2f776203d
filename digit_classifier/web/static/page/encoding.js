/**
 * Encode what a canvas shows.
 *
 * Not by `toBlob` nor `convertToBlob`: Chromium puts these off until it is idle, for up to seven
 * seconds (https://crbug.com/995099). One drawing in four was sent a second late.
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @param {number} [quality]
 * @returns {Blob}
 */
export function encodeCanvas(canvas, type, quality) {
  const [, base64] = canvas.toDataURL(type, quality).split(",");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type });
}

/**
 * Return a canvas that is not part of the page, and its context.
 * @param {number} width
 * @param {number} height
 */
export function makeCanvas(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("There is no canvas to draw on.");
  return { canvas, context };
}
