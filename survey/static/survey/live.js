// Keeps the live page up to date; without script, a reload does the same.

import { poll } from "./poll.js";

const live = document.getElementById("live");
const status = document.getElementById("updated");

const say = (text) => (status.textContent = text);

// What a reader has opened, scrolled or stepped on by keyboard is as it was, in the new part too.
function show(html) {
  const focusable = () => /** @type {HTMLElement[]} */ ([...live.querySelectorAll("a, summary, [tabindex]")]);
  const open = [...live.querySelectorAll("details[open]")].map((details) => details.id);
  const scrolled = [...live.querySelectorAll(".scroll")].map((region) => [region.scrollLeft, region.scrollTop]);
  const focus = focusable().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  live.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  [...live.querySelectorAll(".scroll")].forEach((region, i) => {
    const [left, top] = scrolled[i] ?? [0, 0];
    region.scrollTo(left, top);
  });
  focusable()[focus]?.focus({ preventScroll: true });
}

function changed({ html }) {
  show(html);
  say(`Updates by itself; last change at ${new Date().toLocaleTimeString()}.`);
  return true;
}

say("Updates by itself.");
poll(live.dataset.source, changed, () => say("The server cannot be reached, or you are signed out; trying again by itself."));
