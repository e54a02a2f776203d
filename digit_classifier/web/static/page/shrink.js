/** Pictures are prepared before they are sent: the model sees 28 × 28 pixels of them. */

import { Refusal } from "./client.js";
import { encodeCanvas, makeCanvas } from "./encoding.js";

const ENOUGH = 1280; // pixels on the longest side
const QUALITY = 0.9;
const HEIC = /^ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/; // after the first four bytes

/**
 * @typedef {object} Prepared
 * @property {Blob} image what is to be sent
 * @property {ImageBitmap | null} picture to be shown; null where this browser cannot
 */

/**
 * What the server takes.
 * @typedef {object} Limits
 * @property {number} maxBytes
 * @property {string[]} types
 * @property {Record<string, string>} messages
 */

/**
 * Decode a file, and encode it again where it has more pixels or bytes than are needed, or is of a
 * type that the server does not read.
 * @param {Blob} file
 * @param {Limits} limits
 * @returns {Promise<Prepared>}
 * @throws {Refusal} if it is an iPhone's HEIC, which few browsers read
 */
export async function prepare(file, { maxBytes, types, messages }) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) {
    if (await isHeic(file)) throw new Refusal(messages.not_read, messages.heic, false);
    return { image: file, picture }; // a TIFF or a text is the server's to judge
  }
  const isSmall = Math.max(picture.width, picture.height) <= ENOUGH && file.size <= maxBytes;
  const isKnown = !file.type || types.includes(file.type);
  const image = isSmall && isKnown ? file : shrink(picture, file.type, maxBytes);
  return { image, picture };
}

/** @param {Blob} file */
async function isHeic(file) {
  return HEIC.test(await file.slice(4, 12).text());
}

/**
 * @param {ImageBitmap} picture
 * @param {string} type
 * @param {number} maxBytes
 */
function shrink(picture, type, maxBytes) {
  let side = Math.min(ENOUGH, Math.max(picture.width, picture.height));
  let image = encode(picture, side, type);
  while (image.size > maxBytes && side > 1) {
    side /= 2;
    image = encode(picture, side, type);
  }
  return image;
}

/**
 * @param {ImageBitmap} picture
 * @param {number} longest side
 * @param {string} type photographs stay JPEG; all else may be transparent, and becomes PNG
 */
function encode(picture, longest, type) {
  const scale = longest / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const { canvas, context } = makeCanvas(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return encodeCanvas(canvas, type === "image/jpeg" ? type : "image/png", QUALITY);
}
