/** The status page: shows the latest state every few seconds while somebody looks at it. */

const PERIOD = 5_000; // milliseconds

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  if (main) document.querySelector("main")?.replaceWith(main);
}

// a service that cannot be reached is asked again, and what was shown last stays
setInterval(() => refresh().catch(() => {}), PERIOD);
