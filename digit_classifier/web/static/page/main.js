/** The page: what the visitor draws or gives goes to the service, and its answer on the screen. */

import { Board } from "./board.js";
import { Client, Refusal } from "./client.js";
import { Command } from "./command.js";
import { one } from "./elements.js";
import { Latest } from "./latest.js";
import { Models } from "./models.js";
import { readNumber, textOf } from "./number.js";
import { Pictures } from "./pictures.js";
import { prepare } from "./shrink.js";
import { listenForFiles } from "./sources.js";
import { Steps } from "./steps.js";
import { View } from "./view.js";

/** @typedef {import("./client.js").Purpose} Purpose */
/** @typedef {import("./shrink.js").Prepared} Prepared */

/**
 * What the server tells the page.
 * @type {{
 *   address: string,
 *   readAddress: string,
 *   token: string,
 *   maxBytes: number,
 *   messages: Record<string, string>,
 * }}
 */
const data = JSON.parse(one(document, "[data-page]").dataset.page ?? "");

const REST = 700; // milliseconds after which a drawing whose pen is up is taken for finished

/**
 * What is to be read: the drawing, or a picture.
 * @typedef {object} Subject
 * @property {() => Promise<Blob>} encode
 * @property {boolean} hasAnswer whether it was read as a whole: what follows is no other digit
 */

/** @type {Subject | null} */
let subject = null;
let resting = 0;

const client = new Client(
  { digit: data.address, number: data.readAddress },
  data.messages,
  data.token,
);
const view = new View(data.messages);
const latest = new Latest(showError);
const board = new Board(one(document, "[data-board]"), readDrawing);
const models = new Models(one(document, "[data-models]"), () => {
  command.choose(models.chosen);
  readAgain();
});
const pictures = new Pictures(one(document, "[data-pictures]"));
const steps = new Steps(
  /** @type {HTMLDetailsElement} */ (one(document, "[data-steps]")),
  readAgain,
);
const command = new Command(one(document, ".programmers"));

listenForFiles(document, readFiles);
one(document, "[data-retry]").addEventListener("click", readAgain);
window.addEventListener("online", () => {
  if (view.awaitsRetry) readAgain();
});
// the field takes several where each is answered by itself
one(document, "form input[type=file]").toggleAttribute("multiple", true);
document.documentElement.classList.add("enhanced");
if (!document.querySelector("[role=alert]:not([hidden]), [data-framed][src], [data-boxed][src]"))
  reset();

/** @param {boolean} isSettled */
function readDrawing(isSettled) {
  pictures.clear();
  if (board.drawing.isEmpty) {
    reset();
    return;
  }
  stopResting();
  subject = { encode: () => board.drawing.encode(), hasAnswer: false };
  const readLive = async (/** @type {AbortSignal} */ signal) => void (await read(signal, "live"));
  if (isSettled) {
    const image = board.drawing.encode();
    subject.encode = () => image;
    latest.now(readLive);
    resting = setTimeout(readAgain, REST); // another stroke may follow
  } else latest.soon(readLive);
}

/** Let the service count a drawing that is taken away before its rest is over. */
function leaveDrawing() {
  if (resting && subject) countDigit(subject).catch(reportError);
  stopResting();
}

function stopResting() {
  clearTimeout(resting);
  resting = 0;
}

/** @param {Subject} drawing */
async function countDigit(drawing) {
  const image = await drawing.encode();
  try {
    await client.classify(image, { model: models.chosen });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // nobody waits for this answer
  }
}

/** @param {File[]} files */
function readFiles(files) {
  leaveDrawing();
  pictures.clear();
  latest.now(async (signal) => {
    const prepared = (/** @type {File} */ file) => prepare(file, data.maxBytes);
    if (files.length > 1) pictures.readAll(files, prepared, readLine, showLine).catch(showError);
    else {
      const only = await prepared(files[0]);
      if (!signal.aborted) show(only);
    }
  });
}

/**
 * @param {Prepared} prepared
 * @param {boolean} hasAnswer
 */
function show({ image, picture }, hasAnswer = false) {
  board.show(picture);
  subject = { encode: async () => image, hasAnswer };
  readAgain();
}

/** @param {Prepared} prepared one of several pictures, each of which is answered on its line */
function showLine(prepared) {
  show(prepared, true);
}

/** Read what is there, and have the other models read it too. */
function readAgain() {
  const current = subject;
  if (!current) return;
  stopResting();
  latest.now(async (signal) => {
    const { answer, number, image } = await read(signal, current.hasAnswer ? "again" : undefined);
    current.hasAnswer = true;
    const readBy = async (/** @type {string} */ model) => {
      const options = { model, purpose: /** @type {Purpose} */ ("again"), signal };
      if (number) return textOf(await client.read(image, options));
      return `${(await client.classify(image, options)).prediction}`;
    };
    await models.compare(number ? textOf(number) : `${answer.prediction}`, readBy, signal);
  });
}

/**
 * @param {AbortSignal} signal
 * @param {Purpose} [purpose]
 */
async function read(signal, purpose) {
  const image = await /** @type {Subject} */ (subject).encode();
  checkSize(image);
  const explain = steps.isOpen ? "steps" : "1";
  const model = models.chosen;
  const answer = await client.classify(image, { model, explain, purpose, signal });
  const number = await readNumber(client, answer, image, { model, explain: "1", purpose, signal });
  signal.throwIfAborted();
  if (number) view.showNumber(number);
  else view.showAnswer(answer);
  steps.show(answer.explanation?.steps ?? [], Boolean(number));
  command.ask(number ? data.readAddress : data.address);
  return { answer, number, image };
}

/**
 * Read one of several pictures.
 * @param {Blob} image
 * @param {AbortSignal} signal
 * @returns {Promise<import("./pictures.js").Told>}
 */
async function readLine(image, signal) {
  try {
    checkSize(image);
    const options = { model: models.chosen, signal };
    const answer = await client.classify(image, options);
    const number = await readNumber(client, answer, image, options);
    const { sentence, confidence } = number?.words ?? answer.words;
    const digit = number ? textOf(number) : answer.words.digit;
    return { digit, text: `${sentence} ${confidence}` };
  } catch (error) {
    if (error instanceof Refusal || signal.aborted) return { digit: "", text: `${error}` };
    throw error;
  }
}

/**
 * Refuse what the server would: it may cut the connection while such a file is being sent.
 * @param {Blob} image
 */
function checkSize(image) {
  if (image.size <= data.maxBytes) return;
  throw new Refusal(data.messages.not_read, data.messages.too_large, false);
}

function reset() {
  leaveDrawing();
  subject = null;
  latest.stop();
  view.showNothing();
  command.ask(data.address);
  models.forget();
  steps.show([]);
}

/** @param {unknown} error */
function showError(error) {
  models.forget();
  steps.show([]);
  if (error instanceof Refusal) {
    view.showRefusal(error);
    return;
  }
  reportError(error);
  view.showRefusal(new Refusal(data.messages.failed, data.messages.failed_detail, true));
}
