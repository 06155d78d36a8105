// Keeps the live page up to date: one small request, ever rarer while nothing changes, none while the tab is hidden.

const SHORTEST = 3_000;
const LONGEST = 60_000;

const live = document.getElementById("live");
const status = document.getElementById("updated");
let wait = SHORTEST;
let etag = "";
let timer = 0;

// What a reader has opened, scrolled or stepped on by keyboard is as it was, in the new part too.
function show(html) {
  const focusable = () => [...live.querySelectorAll("a, summary, [tabindex]")];
  const open = [...live.querySelectorAll("details[open]")].map((details) => details.id);
  const scrolled = [...live.querySelectorAll(".scroll")].map((region) => [region.scrollLeft, region.scrollTop]);
  const focus = focusable().indexOf(document.activeElement);
  live.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  [...live.querySelectorAll(".scroll")].forEach((region, i) => region.scrollTo(...(scrolled[i] ?? [0, 0])));
  focusable()[focus]?.focus({ preventScroll: true });
}

async function update() {
  const response = await fetch(live.dataset.source, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
  if (response.redirected || response.status === 404) {
    status.textContent = "You are no longer signed in: reload this page.";
    return false;
  }
  if (response.status === 304) {
    wait = Math.min(wait * 1.5, LONGEST);
  } else if (response.ok) {
    show(await response.text());
    etag = response.headers.get("ETag") ?? "";
    wait = SHORTEST;
  } else {
    throw new Error(String(response.status));
  }
  status.textContent = `Updates by itself; last looked at ${new Date().toLocaleTimeString()}.`;
  return true;
}

async function loop() {
  let goes = true;
  try {
    goes = await update();
  } catch {
    wait = Math.min(wait * 2, LONGEST);
    status.textContent = "The server cannot be reached; trying again by itself.";
  }
  clearTimeout(timer);
  if (goes && !document.hidden) timer = setTimeout(loop, wait);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) return;
  wait = SHORTEST;
  loop();
});

timer = setTimeout(loop, SHORTEST);
