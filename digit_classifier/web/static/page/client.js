/** The service's API. */

/**
 * @typedef {object} Words the answer in plain words, made by the server
 * @property {string} digit empty where there is probably none
 * @property {string} sentence
 * @property {string} confidence
 * @property {string[]} percents
 * @property {string[]} remarks
 * @property {string} source which model, and how fast
 * @property {string} because what the strokes did
 */

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {number} width
 * @property {number} height
 * @property {string} about what it was good for
 * @property {boolean} changed
 * @property {string} picture
 */

/**
 * @typedef {object} InsideLayer
 * @property {string} title
 * @property {number} width of the picture, in units or pixels of the maps
 * @property {number} height
 * @property {string} picture
 */

/**
 * What happened inside the network.
 * @typedef {object} InsideDocument
 * @property {string} input a picture of what goes into the network
 * @property {InsideLayer[]} layers
 * @property {string[]} contributions a picture for each digit of what spoke for it; may be empty
 */

/**
 * @typedef {object} Explanation
 * @property {string} framed
 * @property {string | null} overlay
 * @property {Step[]} [steps]
 * @property {InsideDocument} [inside]
 */

/**
 * @typedef {object} Answer
 * @property {number} prediction
 * @property {number[]} probabilities
 * @property {boolean} accepted
 * @property {{name: string}} model
 * @property {string[]} warnings
 * @property {Words} words
 * @property {Explanation} [explanation]
 */

/**
 * @typedef {object} ReadDigit
 * @property {[number, number, number, number]} box left, top, width, height
 */

/**
 * @typedef {object} NumberWords the digits of a picture in plain words, made by the server
 * @property {string[]} lines the rows
 * @property {string} sentence
 * @property {string} confidence
 * @property {string[]} remarks
 * @property {string} source which model, and how fast
 * @property {{text: string, doubtful: boolean}[][]} digits by row
 */

/**
 * @typedef {object} Reading
 * @property {boolean} accepted
 * @property {{name: string}} model
 * @property {{digits: ReadDigit[]}[]} rows
 * @property {NumberWords} words
 * @property {{picture: string, width: number, height: number}} explanation
 */

/**
 * `live`: a drawing that is not finished. `again`: a picture that has its answer already.
 * @typedef {"live" | "again"} Purpose
 */

/**
 * @typedef {object} Options
 * @property {string} [model] the service's own choice where it is missing
 * @property {string} [explain] `1`, and `steps` or `inside` where those are wanted, with commas
 * @property {Purpose} [purpose] what the reading is for, where it does not count as an answer
 * @property {AbortSignal} [signal]
 */

/**
 * What the page has from the server about its API.
 * @typedef {object} ServiceData
 * @property {string} address where one digit is read
 * @property {string} readAddress where all digits are read
 * @property {string} token of the page's form, which stands for an API key where those are wanted
 * @property {number} maxBytes
 * @property {Record<string, string>} messages
 */

const PATIENCE = 20_000; // milliseconds
const OUR_FAULT = 500; // the first status that is not the picture's fault
const TOO_MANY = 429;

/** Why there is no answer. */
export class Refusal extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {boolean} canRetry whether the same request may do better later
   */
  constructor(title, detail, canRetry) {
    super(detail);
    this.title = title;
    this.canRetry = canRetry;
  }

  /**
   * The message, where there is one line for it.
   * @override
   */
  toString() {
    return this.message;
  }
}

export class Client {
  #data;
  #messages;

  /** @param {ServiceData} data */
  constructor(data) {
    this.#data = data;
    this.#messages = data.messages;
  }

  /**
   * Have the digit of an image read.
   * @param {Blob} image
   * @param {Options} options
   * @returns {Promise<Answer>}
   * @throws {Refusal}
   */
  classify(image, options) {
    return this.#ask(this.#data.address, image, options);
  }

  /**
   * Have all digits of an image read.
   * @param {Blob} image
   * @param {Options} options
   * @returns {Promise<Reading>}
   * @throws {Refusal}
   */
  read(image, options) {
    return this.#ask(this.#data.readAddress, image, options);
  }

  /**
   * @param {string} address
   * @param {Blob} image
   * @param {Options} options
   */
  async #ask(address, image, { model, explain, purpose, signal }) {
    // the server may cut the connection while such a file is being sent
    if (image.size > this.#data.maxBytes)
      throw new Refusal(this.#messages.not_read, this.#messages.too_large, false);
    const asked = { ...(explain && { explain }), ...(purpose && { purpose }) };
    const query = new URLSearchParams({ ...(model && { model }), words: "1", ...asked });
    const response = await this.#post(`${address}?${query}`, image, signal);
    const document = await response.json().catch(() => null); // a proxy's page is no document
    if (response.ok && document) return document;
    throw this.#refusal(response.status, document);
  }

  /**
   * @param {string} address
   * @param {Blob} image
   * @param {AbortSignal} [signal]
   */
  async #post(address, image, signal) {
    const patience = AbortSignal.timeout(PATIENCE);
    try {
      return await fetch(address, {
        method: "POST",
        body: image,
        headers: { "Content-Type": "application/octet-stream", "X-CSRFToken": this.#data.token },
        signal: signal ? AbortSignal.any([signal, patience]) : patience,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refusal(this.#messages.unreachable, this.#messages.unreachable_detail, true);
    }
  }

  /**
   * @param {number} status
   * @param {{detail?: string} | null} problem
   */
  #refusal(status, problem) {
    if (status >= OUR_FAULT || status === TOO_MANY) {
      const detail = problem?.detail ?? this.#messages.failed_detail;
      return new Refusal(this.#messages.failed, detail, true);
    }
    const detail = problem?.detail ?? this.#messages.failed_detail;
    return new Refusal(this.#messages.not_read, detail, false);
  }
}
