/** The page: what the visitor draws or gives goes to the service, and its answer on the screen. */

import { Board } from "./board.js";
import { Client, Refusal } from "./client.js";
import { Command } from "./command.js";
import { one } from "./elements.js";
import { Latest } from "./latest.js";
import { Models } from "./models.js";
import { Pictures } from "./pictures.js";
import { prepare } from "./shrink.js";
import { listenForFiles } from "./sources.js";
import { Steps } from "./steps.js";
import { View } from "./view.js";

/** @typedef {import("./shrink.js").Prepared} Prepared */

/**
 * What the server tells the page.
 * @type {{address: string, token: string, maxBytes: number, messages: Record<string, string>}}
 */
const data = JSON.parse(one(document, "[data-page]").dataset.page ?? "");

/** @type {(() => Promise<Blob>) | null} what is to be read: the drawing, or a picture */
let subject = null;

const client = new Client(data.address, data.messages, data.token);
const view = new View(data.messages);
const latest = new Latest(showError);
const board = new Board(one(document, "[data-board]"), readDrawing);
const models = new Models(one(document, "[data-models]"), client, () => {
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
if (!document.querySelector("[role=alert]:not([hidden]), [data-framed][src]")) reset();

/** @param {boolean} isSettled */
function readDrawing(isSettled) {
  pictures.clear();
  if (board.drawing.isEmpty) {
    reset();
    return;
  }
  subject = () => board.drawing.encode();
  if (isSettled) readAgain();
  else latest.soon(async (signal) => void (await read(signal)));
}

/** @param {File[]} files */
function readFiles(files) {
  pictures.clear();
  latest.now(async (signal) => {
    const prepared = (/** @type {File} */ file) => prepare(file, data.maxBytes);
    if (files.length > 1) pictures.readAll(files, prepared, readLine, show).catch(showError);
    else {
      const only = await prepared(files[0]);
      if (!signal.aborted) show(only);
    }
  });
}

/** @param {Prepared} prepared */
function show({ image, picture }) {
  board.show(picture);
  subject = async () => image;
  readAgain();
}

/** Read what is there, and have the other models read it too. */
function readAgain() {
  if (!subject) return;
  latest.now(async (signal) => {
    const { answer, image } = await read(signal);
    await models.compare(answer.prediction, image, signal);
  });
}

/** @param {AbortSignal} signal */
async function read(signal) {
  const image = await /** @type {() => Promise<Blob>} */ (subject)();
  checkSize(image);
  const explain = steps.isOpen ? "steps" : "1";
  const answer = await client.classify(image, { model: models.chosen, explain, signal });
  signal.throwIfAborted();
  view.showAnswer(answer);
  steps.show(answer.explanation?.steps ?? []);
  return { answer, image };
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
    const { words } = await client.classify(image, { model: models.chosen, signal });
    return { digit: words.digit, text: `${words.sentence} ${words.confidence}` };
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
  subject = null;
  latest.stop();
  view.showNothing();
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
