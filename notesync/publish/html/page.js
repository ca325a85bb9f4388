// Keeps the page current while it is open: without it, the page is complete and reloading shows the newest.
"use strict";

const everyMinute = 60000;

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-cache" });
    if (answer.status === 403) location.reload(); // the secret was replaced: say so rather than show the past
    if (!answer.ok) throw new Error(answer.statusText);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    document.getElementById("offline").hidden = false;
  }
}

function show(next) {
  const find = remember(document.activeElement);
  for (const name of ["header", "main"]) {
    const old = document.querySelector(`body > ${name}`);
    const found = next.querySelector(`body > ${name}`);
    if (old.innerHTML !== found.innerHTML) old.replaceWith(document.adoptNode(found));
  }
  document.getElementById("offline").hidden = true;
  if (document.activeElement === document.body) find()?.focus({ preventScroll: true });
}

// Whoever walks by keyboard stays where they are: at the same link, of several alike the same one.
function remember(link) {
  const address = link?.getAttribute("href");
  if (!address) return () => null;
  const alike = () => [...document.querySelectorAll("a[href]")].filter((a) => a.getAttribute("href") === address);
  const place = alike().indexOf(link);
  return () => alike()[place] ?? alike()[0];
}

setInterval(refresh, everyMinute);
document.addEventListener("visibilitychange", refresh);
