/** Photographs are reduced before they are sent: the model sees 28 × 28 pixels of them. */

const ENOUGH = 1280; // pixels on the longest side
const QUALITY = 0.9;

/**
 * @typedef {object} Prepared
 * @property {Blob} image what is to be sent
 * @property {ImageBitmap | null} picture to be shown; null where this browser cannot
 */

/**
 * Decode a file, and encode it smaller where it has more pixels or bytes than are needed.
 * @param {Blob} file
 * @param {number} maxBytes
 * @returns {Promise<Prepared>}
 */
export async function prepare(file, maxBytes) {
  const picture = await createImageBitmap(file).catch(() => null);
  // what the browser cannot decode, a TIFF or a text, is the server's to judge
  if (!picture) return { image: file, picture };
  const isSmall = Math.max(picture.width, picture.height) <= ENOUGH && file.size <= maxBytes;
  return { image: isSmall ? file : await shrink(picture, file.type, maxBytes), picture };
}

/**
 * @param {ImageBitmap} picture
 * @param {string} type
 * @param {number} maxBytes
 */
async function shrink(picture, type, maxBytes) {
  let side = Math.min(ENOUGH, Math.max(picture.width, picture.height));
  let image = await encode(picture, side, type);
  while (image.size > maxBytes && side > 1) {
    side /= 2;
    image = await encode(picture, side, type);
  }
  return image;
}

/**
 * @param {ImageBitmap} picture
 * @param {number} longest side
 * @param {string} type photographs stay JPEG; all else may be transparent, and becomes PNG
 */
async function encode(picture, longest, type) {
  const scale = longest / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("There is no canvas to draw on.");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return canvas.convertToBlob({
    type: type === "image/jpeg" ? type : "image/png",
    quality: QUALITY,
  });
}
