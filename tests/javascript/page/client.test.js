import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Client, Refusal } from "../../../digit_classifier/web/static/page/client.js";

const DATA = {
  address: "/api/v1/classify",
  readAddress: "/api/v1/read",
  token: "the form's",
  maxBytes: 10,
  messages: {
    not_read: "not read",
    too_large: "too large",
    unreachable: "unreachable",
    unreachable_detail: "offline?",
    failed: "failed",
    failed_detail: "something went wrong",
  },
};
const IMAGE = new Blob(["a picture"]);

/** Let the server give one answer; return the client and the server's mock. */
function answeredBy(answer) {
  const server = mock.method(globalThis, "fetch", async () => answer());
  return { client: new Client(DATA), server };
}

test("an image is posted with the form's token, the model and what it is for", async () => {
  const { client, server } = answeredBy(() => Response.json({ prediction: 7 }));
  const options = { model: "cnn", explain: "1,steps", purpose: "live" };
  assert.deepEqual(await client.classify(IMAGE, options), { prediction: 7 });
  await client.read(IMAGE, {});
  const [[address, request], [other]] = server.mock.calls.map((call) => call.arguments);
  assert.equal(address, "/api/v1/classify?model=cnn&words=1&explain=1%2Csteps&purpose=live");
  assert.equal(other, "/api/v1/read?words=1");
  assert.deepEqual([request.method, request.body], ["POST", IMAGE]);
  assert.equal(request.headers["X-CSRFToken"], "the form's");
});

test("too large an image is refused and not sent", async () => {
  const { client, server } = answeredBy(() => assert.fail("it was sent"));
  await assert.rejects(client.classify(new Blob(["eleven bytes"]), { model: "mlp" }), {
    title: "not read",
    message: "too large",
    canRetry: false,
  });
  assert.equal(server.mock.callCount(), 0);
});

const problem = (status, detail) => () => Response.json({ detail }, { status });

for (const [name, answer, expected] of [
  ["a bad picture", problem(415, "no image"), ["not read", "no image", false]],
  ["a fault of the server", problem(500, "broken"), ["failed", "broken", true]],
  ["too many requests", problem(429, "wait"), ["failed", "wait", true]],
  ["a proxy's page", () => new Response("<h1>", { status: 502 }), ["failed", "something went wrong", true]],
  ["a page instead of a document", () => new Response("<h1>"), ["not read", "something went wrong", false]],
  ["no connection", () => Promise.reject(new TypeError("failed")), ["unreachable", "offline?", true]],
]) {
  test(`${name} is a refusal`, async () => {
    const { client } = answeredBy(answer);
    const refusal = await client.classify(IMAGE, { model: "mlp" }).catch((error) => error);
    assert.ok(refusal instanceof Refusal);
    assert.deepEqual([refusal.title, `${refusal}`, refusal.canRetry], expected);
  });
}

test("a request that is not wanted any more is no refusal", async () => {
  const { client } = answeredBy(() => Promise.reject(new DOMException("", "AbortError")));
  const request = client.classify(IMAGE, { model: "mlp", signal: AbortSignal.abort() });
  await assert.rejects(request, { name: "AbortError" });
});
