/** The service worker: answers with the kept page and its files where there is no connection. */

const worker = /** @type {any} */ (self); // a page's types do not know a service worker's

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) =>
  event.waitUntil(worker.clients.claim()),
);
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname === "/" && request.mode === "navigate")
    event.respondWith(fetch(request).catch(() => caches.match("/", { ignoreVary: true })));
  else if (/^\/(bootstrap\/)?static\//.test(pathname))
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
