// Keeps the page current while it is open: without it, the page is complete and reloading shows the newest.
"use strict";

const everyMinute = 60000;

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-cache" });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const name of ["header", "main"]) {
      const old = document.querySelector(`body > ${name}`);
      const found = next.querySelector(`body > ${name}`);
      const same = old.innerHTML === found.innerHTML;
      // Replacing what somebody is about to touch would lose their place.
      if (!same && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(found));
    }
  } catch {
    // Offline: what is shown says when it was last refreshed.
  }
}

setInterval(refresh, everyMinute);
document.addEventListener("visibilitychange", refresh);
