/** Keeps the page in the browser, so that it opens without a connection. */

const NAME = "shell";

/** Have the service worker keep the page and the files that it has loaded. */
export function keepShell() {
  if (!navigator.serviceWorker) return; // as in pages that came without TLS
  window.addEventListener("load", () => keep().catch(reportError));
}

async function keep() {
  await navigator.serviceWorker.register("/service-worker.js");
  if (!navigator.onLine) return;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  const files = new Set(loaded.filter((path) => /^\/(bootstrap\/)?static\//.test(path)));
  const shell = await caches.open(NAME);
  // their address changes with their content
  const [first] = files;
  if (await shell.match(first)) return;
  for (const old of await shell.keys()) await shell.delete(old);
  await shell.addAll(["/", ...files]);
}
