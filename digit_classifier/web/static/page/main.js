/** The page: what the visitor draws or gives goes to the service, and its answer on the screen. */

import { Board } from "./board.js";
import { Client, Refusal } from "./client.js";
import { Command } from "./command.js";
import { encode } from "./drawing.js";
import { one } from "./elements.js";
import { Inside } from "./inside.js";
import { Latest } from "./latest.js";
import { digitOf, Models } from "./models.js";
import { readNumber, textOf } from "./number.js";
import { keepShell } from "./offline.js";
import { Pictures } from "./pictures.js";
import { prepare } from "./shrink.js";
import { listenForFiles } from "./sources.js";
import { Steps } from "./steps.js";
import { View } from "./view.js";

/** @typedef {import("./client.js").Purpose} Purpose */
/** @typedef {import("./shrink.js").Prepared} Prepared */

/**
 * What the server gives the page.
 * @type {{
 *   address: string,
 *   readAddress: string,
 *   token: string,
 *   maxBytes: number,
 *   types: string[],
 *   messages: Record<string, string>,
 * }}
 */
const data = JSON.parse(one(document, "[data-page]").dataset.page ?? "");

const REST = 700; // milliseconds after which a drawing whose pen is up is taken for finished

/**
 * What is to be read: the drawing, or a picture.
 * @typedef {object} Subject
 * @property {() => Blob} encode
 * @property {boolean} hasAnswer whether it was read as a whole: what follows is no other digit
 */

/** @type {Subject | null} */
let subject = null;
let resting = 0;

const client = new Client(data);
const view = new View(data.messages, readAgain);
const latest = new Latest(showError);
const board = new Board(one(document, "[data-board]"), readBoard);
const models = new Models(one(document, "[data-models]"), () => {
  command.choose(models.chosen);
  readAgain();
});
const pictures = new Pictures(one(document, "[data-pictures]"), data.messages);
const steps = new Steps(
  /** @type {HTMLDetailsElement} */ (one(document, "[data-steps]")),
  readAgain,
);
const inside = new Inside(
  /** @type {HTMLDetailsElement} */ (one(document, "[data-inside]")),
  readAgain,
);
const command = new Command(one(document, ".programmers"));

listenForFiles(document, readFiles);
window.addEventListener("online", () => {
  if (subject && view.awaitsRetry) readAgain();
  else if (!subject) view.showNothing();
});
window.addEventListener("offline", () => {
  if (!subject) view.showNothing();
});
keepShell();
if (!document.querySelector("[role=alert]:not([hidden]), [data-framed][src], [data-boxed][src]"))
  reset();

/** @param {boolean} isSettled */
function readBoard(isSettled) {
  pictures.clear();
  if (board.isEmpty) {
    reset();
    return;
  }
  if (board.picture) {
    leaveDrawing();
    readPicture(board.picture, true); // which was read when it came
    return;
  }
  stopResting();
  const { strokes } = board;
  subject = { encode: () => encode(strokes), hasAnswer: false };
  const readLive = async (/** @type {AbortSignal} */ signal) => void (await read(signal, "live"));
  if (isSettled) {
    const image = encode(strokes);
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
  const image = drawing.encode();
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
    const prepared = (/** @type {File} */ file) => prepare(file, data);
    const [only, ...others] = files;
    if (others.length) pictures.readAll(files, prepared, readLine, showLine).catch(showError);
    else {
      const picture = await prepared(only);
      if (!signal.aborted) show(picture);
    }
  });
}

/**
 * Show a picture, and read it.
 * @param {Prepared} picture
 * @param {boolean} hasAnswer
 */
function show(picture, hasAnswer = false) {
  board.show(picture);
  readPicture(picture, hasAnswer);
}

/** @param {Prepared} picture one of several, each of which is answered on its line */
function showLine(picture) {
  show(picture, true);
}

/**
 * @param {Prepared} picture
 * @param {boolean} hasAnswer
 */
function readPicture({ image }, hasAnswer) {
  subject = { encode: () => image, hasAnswer };
  readAgain();
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
      return digitOf(await client.classify(image, options));
    };
    const answering = (number ?? answer).model.name;
    await models.compare(number ? textOf(number) : digitOf(answer), answering, readBy, signal);
  });
}

/**
 * @param {AbortSignal} signal
 * @param {Purpose} [purpose]
 */
async function read(signal, purpose) {
  const image = /** @type {Subject} */ (subject).encode();
  const explain = ["1", steps.isOpen && "steps", inside.isOpen && "inside"].filter(Boolean).join();
  const model = models.chosen;
  const answer = await client.classify(image, { model, explain, purpose, signal });
  const options = { model: models.named, explain: "1", purpose, signal };
  const number = await readNumber(client, answer, image, options);
  signal.throwIfAborted();
  if (number) view.showNumber(number);
  else view.showAnswer(answer);
  steps.show(answer.explanation?.steps ?? [], Boolean(number));
  inside.show(number ? null : answer, Boolean(number));
  command.ask(number ? data.readAddress : data.address);
  return { answer, number, image };
}

/**
 * Read one of several pictures.
 * @param {Prepared} picture
 * @param {AbortSignal} signal
 * @returns {Promise<import("./pictures.js").ShortResult>}
 */
async function readLine({ image }, signal) {
  try {
    const options = { model: models.chosen, signal };
    const answer = await client.classify(image, options);
    const number = await readNumber(client, answer, image, { ...options, model: models.named });
    const { sentence, confidence } = number?.words ?? answer.words;
    const digit = number ? textOf(number) : answer.words.digit;
    return { digit, sentence, confidence };
  } catch (error) {
    if (error instanceof Refusal || signal.aborted)
      return { digit: "", sentence: `${error}`, confidence: "" };
    throw error;
  }
}

function reset() {
  leaveDrawing();
  subject = null;
  latest.stop();
  view.showNothing();
  command.ask(data.address);
  forgetDetails();
}

function forgetDetails() {
  models.forget();
  steps.show([]);
  inside.show(null);
}

/** @param {unknown} error */
function showError(error) {
  forgetDetails();
  if (error instanceof Refusal) {
    view.showRefusal(error);
    return;
  }
  reportError(error);
  view.showRefusal(new Refusal(data.messages.failed, data.messages.failed_detail, true));
}
