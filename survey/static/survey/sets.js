// A set's progress and a plan's state keep themselves up to date; without script, a reload does the same.

import { choosePlan } from "./new_plan.js";
import { poll } from "./poll.js";

const LOST = "The server cannot be reached; trying again by itself.";

// The images anew, from the page itself; not while somebody has ticked some.
async function refresh() {
  const part = document.querySelector("[data-part]");
  if (part.querySelector("input:checked") || part.contains(document.activeElement)) return;
  const region = part.querySelector(".scroll");
  const [left, top] = region ? [region.scrollLeft, region.scrollTop] : [0, 0];
  const text = await (await fetch(location.href)).text();
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-part]");
  if (!fresh) return;
  part.replaceWith(fresh);
  fresh.querySelector(".scroll")?.scrollTo(left, top);
}

function watchSet(box) {
  const say = (name, text) => {
    const part = box.querySelector(`p [data-${name}], p[data-${name}]`);
    if (part) part.textContent = text;
  };
  let ended = Number(box.dataset.done) + Number(box.dataset.failed);
  const status = document.getElementById("updated");

  poll(box.dataset.source, (now) => {
    if (now.state !== box.dataset.state) {
      // Other buttons, another sentence: all anew.
      location.reload();
      return false;
    }
    box.querySelector("progress").value = now.done;
    if (now.state === "stopping") return true;
    say("done", now.done);
    say("failed", now.failed);
    box.querySelector("[data-failures]").hidden = !now.failed;
    say("pace", now.pace && `; ${now.pace}`);
    say("work", now.at_work.length ? `Now: ${now.at_work.join("; ")}` : "");
    status.textContent = "Updates by itself.";
    if (now.done + now.failed !== ended) refresh();
    ended = now.done + now.failed;
    return now.state === "making" || now.state === "queued";
  }, () => (status.textContent = LOST));
}

// Said at the click; the server's page says it, too, and more.
function stopAtOnce(form) {
  form.addEventListener("submit", () => {
    form.querySelector("button").setAttribute("aria-disabled", "true");
    document.getElementById("updated").textContent = "Stopping …";
  });
}

function watchPlan(box) {
  // Counted from the server's own number: the clocks of two machines differ.
  const age = box.querySelector("[data-age]");
  const begun = performance.now() - 1000 * Number(age?.dataset.age);
  if (age) setInterval(() => { age.textContent = String(Math.floor((performance.now() - begun) / 1000)); }, 1000);
  poll(box.dataset.source, (now) => {
    if (now.state === box.dataset.state && now.set === null) return true;
    location.reload();
    return false;
  }, () => {});
}

// Said before a long upload rather than after it; the server checks all the same.
function checkFiles(input) {
  const { mostFiles, mostMegabytes } = input.dataset;
  const large = [...input.files].find((file) => file.size > mostMegabytes * 1e6);
  let trouble = "";
  if (input.files.length > mostFiles) trouble = `${input.files.length} files; at most ${mostFiles} at a time.`;
  else if (large) trouble = `${large.name}: at most ${mostMegabytes} MB a picture.`;
  input.setCustomValidity(trouble);
  if (trouble) input.reportValidity();
}

for (const input of document.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => checkFiles(input));
}

/** @type {HTMLFormElement} */
const make = document.querySelector("#make");
if (make) choosePlan(make);
document.getElementById("problems")?.focus();
const set = document.getElementById("progress");
if (set && ["making", "queued", "stopping"].includes(set.dataset.state)) watchSet(set);
const plan = document.getElementById("plan");
if (plan) watchPlan(plan);
for (const form of document.querySelectorAll("form[data-stop]")) stopAtOnce(form);
// The server knows no time zone of its reader.
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
