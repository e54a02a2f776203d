/** Unpacks ZIP archives: the pictures in them are read as if each had been dropped. */

const MOST_FILES = 1000;
const LARGEST = 50 * 1024 * 1024; // bytes of an unpacked file
const END_OF_DIRECTORY = 0x06054b50;
const END_SIZE = 22; // bytes, without a comment
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46; // bytes, without the name
const LOCAL_SIZE = 30; // bytes, without the name
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} method
 * @property {number} packedSize
 * @property {number} size
 * @property {number} offset of its local header
 */

/**
 * Unpack the files of an archive, without folders and hidden files.
 * @param {Blob} archive
 * @returns {Promise<File[]>} nothing if it is not a ZIP archive
 */
export async function unzip(archive) {
  const view = new DataView(await archive.arrayBuffer());
  const files = [];
  try {
    for (const entry of entriesOf(view)) files.push(await unpack(view, entry));
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  }
  return files;
}

/**
 * @param {DataView} view
 * @returns {Entry[]}
 */
function entriesOf(view) {
  const end = findEnd(view);
  if (end < 0) return [];
  const entries = [];
  let place = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count -= 1) {
    if (view.getUint32(place, true) !== ENTRY) break;
    const nameLength = view.getUint16(place + 28, true);
    const others = view.getUint16(place + 30, true) + view.getUint16(place + 32, true);
    entries.push({
      name: textAt(view, place + ENTRY_SIZE, nameLength),
      method: view.getUint16(place + 10, true),
      packedSize: view.getUint32(place + 20, true),
      size: view.getUint32(place + 24, true),
      offset: view.getUint32(place + 42, true),
    });
    place += ENTRY_SIZE + nameLength + others;
  }
  return entries.filter(isWanted).slice(0, MOST_FILES);
}

/** @param {DataView} view */
function findEnd(view) {
  const first = Math.max(0, view.byteLength - END_SIZE - LONGEST_COMMENT);
  for (let place = view.byteLength - END_SIZE; place >= first; place -= 1)
    if (view.getUint32(place, true) === END_OF_DIRECTORY) return place;
  return -1;
}

/** @param {Entry} entry */
function isWanted({ name, method, size }) {
  const isHidden = name.startsWith("__MACOSX/") || baseName(name).startsWith(".");
  const isFile = !name.endsWith("/") && size <= LARGEST;
  return isFile && !isHidden && (method === STORED || method === DEFLATED);
}

/**
 * @param {DataView} view
 * @param {Entry} entry
 */
async function unpack(view, { name, method, packedSize, size, offset }) {
  const before = view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const content = new Uint8Array(view.buffer, offset + LOCAL_SIZE + before, packedSize);
  const packed = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (content)]);
  const file = method === STORED ? packed : await inflate(packed, size);
  return new File([file], baseName(name));
}

/**
 * @param {Blob} packed
 * @param {number} size that its entry claims: what is longer is cut off, and so not an image
 */
async function inflate(packed, size) {
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  for (let rest = size; rest > 0; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    rest -= value.length;
  }
  await reader.cancel();
  return new Blob(parts);
}

/** @param {string} name */
function baseName(name) {
  return name.split("/").at(-1) ?? name;
}

/**
 * @param {DataView} view
 * @param {number} place
 * @param {number} length
 */
function textAt(view, place, length) {
  return new TextDecoder().decode(new Uint8Array(view.buffer, place, length));
}
