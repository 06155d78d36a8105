// The rating page, on top of a form that works without it: the next image without a new page, answers that
// survive a lost connection, keys, and the time from the image on screen to the choice.

import { rest } from "./break.js";
import { fit, load, preload } from "./image.js";
import { Outbox } from "./outbox.js";
import { ownQuestions } from "./own_questions.js";
import { Slider } from "./slider.js";
import { watchTaps } from "./tap.js";

// How long the next image waits for the server to confirm an answer; longer than that is an outage.
const PATIENCE_MS = 4000;
// Plain grey between two images: without it the eye sees the one change into the other, and compares.
const GAP_MS = 250;
const REQUEST_TIMEOUT_MS = 20_000;
const PRELOADED = 12;
// With one tap for each answer: how long the answer is shown, and how long after an image comes a tap means the last one.
const TOLD_MS = 600;
const TOO_SOON_MS = 300;

/** @type {HTMLFormElement} */
const form = document.querySelector("form.panel");
const stage = document.querySelector(".stage");
const images = [...stage.querySelectorAll("img")];
/** @type {HTMLElement} */
const heading = form.querySelector(".count");
const status = form.querySelector(".status");
/** @type {HTMLButtonElement} */
const submit = form.querySelector("button:not([formaction])");
/** @type {HTMLButtonElement} */
const undo = form.querySelector("button[formaction]");
/** @type {HTMLInputElement} */
const keys = form.querySelector("#keys");
const words = form.dataset;
const byTap = "tap" in words;
const controls = /** @type {Record<string, HTMLInputElement>} */ (/** @type {unknown} */ (form.elements));

let { saved, total, ahead } = JSON.parse(document.getElementById("state").textContent);
let trial = null;
let shownAt = 0;
let chosenAt = 0;
let loadMs = 0;
let enlarged = 1;
let changes = 0;
const touched = new Set();
let pointer = "";
let busy = true;
// The trial whose answer is still shown, with one tap for each answer.
let told = null;
let toldWords = "";
let offline = false;
let answeredHere = false;
let notice = "";

const outbox = new Outbox(words.go, {
  known() {
    // With few images left to show, no number: the server then sends more.
    return ahead.length > PRELOADED || ahead.length === total - saved ? saved : "";
  },
  saved(reply, entry) {
    offline = false;
    if (reply.kept) {
      // The cookie is gone, the answer is not.
      location.assign(words.go);
      return;
    }
    adopt(reply, entry.trial);
    if (told) return;
    if (!trial || !ahead.some((other) => same(other, trial))) next();
  },
  waiting() {
    offline = true;
    tell();
  },
  refused() {
    location.assign(words.go);
  },
});

/** Take over what the server says; without a list of trials, the one `answered` is no longer ahead. */
function adopt(reply, answered) {
  ({ saved, total } = reply);
  ahead = reply.ahead ?? ahead.filter((other) => other.token !== answered);
  undo.hidden = !reply.undo && !byTap;
  undo.toggleAttribute("disabled", !reply.undo);
  tell();
}

const same = (a, b) => a.token === b.token && a.revision === b.revision;
const fill = (text, n, of) => text.replace("{n}", n).replace("{of}", of);
const nextFrame = () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const questions = () => /** @type {HTMLElement[]} */ ([...form.querySelectorAll("fieldset.scale")]);
const sliders = new Map(questions().map((question) => [question, Slider.of(question)]));
const own = ownQuestions(form);
const sliderOf = (question) => sliders.get(question);
/** @type {(element: Element) => HTMLElement} */
const alertOf = (element) => element.querySelector(".alert");
const chosen = (question) => {
  const slider = sliderOf(question);
  return slider ? slider.isSet : question.querySelector("input:checked") !== null;
};

function tell(message = "") {
  if (told && !offline) {
    status.textContent = toldWords;
    return;
  }
  const answered = saved + outbox.size;
  const counts = answered ? `${fill(words.saved, saved, answered)}. ` : "";
  status.classList.toggle("pressing", offline && outbox.size > 0);
  // For as long as answers wait here, that is what there is to know.
  status.textContent = counts + (message || (offline && outbox.size ? words.waiting : notice));
}

/** Show the first trial that is neither answered nor on its way; without one, wait for the outbox or go on. */
function next() {
  const waiting = ahead.find((other) => !outbox.holds(other));
  if (waiting) {
    if (!trial || !same(waiting, trial)) show(waiting);
    return;
  }
  trial = null;
  if (outbox.size) {
    stage.classList.add("loading");
    tell(words.finishing);
  } else if (byTap && answeredHere) {
    finish();
  } else {
    location.assign(words.go);
  }
}

/** Wait with the last answer for a press of a button, so that it too can be taken back. */
function finish() {
  busy = true;
  stage.classList.add("loading");
  form.classList.add("finished");
  heading.textContent = words.last;
  submit.textContent = words.finish;
  submit.removeAttribute("aria-disabled");
  tell();
  heading.focus({ preventScroll: true });
}

async function show(coming) {
  const first = trial === null && !form.dataset.shown;
  form.dataset.shown = "yes";
  trial = coming;
  busy = true;
  form.classList.remove("finished");
  submit.setAttribute("aria-disabled", "true");
  stage.classList.add("loading");
  await rest(coming);
  if (trial !== coming) return;
  setForm(coming);
  if (!first) {
    heading.focus({ preventScroll: true });
    scrollTo({ top: 0, behavior: "instant" });
  }
  const started = performance.now();
  const slow = setTimeout(() => tell(words.loading), 1000);
  try {
    await display(coming, first ? 0 : GAP_MS);
  } catch (reason) {
    if (reason === "failed" && await outage()) {
      if (trial === coming) show(coming);
    } else if (trial === coming) {
      skip(coming, reason === "truncated" ? "truncated" : "failed");
    }
    return;
  } finally {
    clearTimeout(slow);
  }
  if (trial !== coming) return;
  loadMs = performance.now() - started;
  stage.classList.remove("loading");
  resize();
  await nextFrame();
  shownAt = performance.now();
  busy = false;
  submit.removeAttribute("aria-disabled");
  const place = ahead.findIndex((other) => same(other, coming));
  preload(ahead.slice(place + 1, place + 1 + PRELOADED));
}

/** Wait out an outage; false at once if the server answers: then it is the image that is at fault. */
async function outage() {
  for (let waited = 0; ; waited = Math.min(2 * waited + 1000, 5000)) {
    await pause(waited);
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const response = await fetch(words.go, { method: "HEAD", redirect: "manual", cache: "no-store", signal });
      if (response.status < 500) return waited > 0;
    } catch {
      // Still no line.
    }
    tell(words.unreachable);
  }
}

async function display(coming, gap) {
  const [sources] = await Promise.all([Promise.all(coming.images.map(load)), pause(gap)]);
  await Promise.all(images.map(async (img, i) => {
    img.src = sources[i];
    img.width = coming.images[i].width;
    img.height = coming.images[i].height;
    // Decoded before it is seen: the clock starts with the whole image on screen.
    await img.decode().catch(() => Promise.reject("truncated"));
  }));
}

function setForm(coming) {
  // On a slow line an answer may be chosen before this script is here.
  const chosenBefore = !shownAt && controls.trial.value === coming.token;
  const count = fill(coming.practice ? words.practice : words.count, coming.number, coming.of);
  heading.textContent = count;
  for (const img of images) img.alt = count;
  controls.trial.value = coming.token;
  controls.revision.value = coming.revision;
  for (const question of questions()) {
    alertOf(question).hidden = true;
    const slider = sliderOf(question);
    if (slider) {
      slider.set(chosenBefore ? slider.value : String(coming.given[slider.name.slice(2)] ?? ""));
      continue;
    }
    /** @type {NodeListOf<HTMLInputElement>} */
    const inputs = question.querySelectorAll("input");
    for (const input of chosenBefore ? [] : inputs) {
      input.checked = String(coming.given[input.name.slice(2)] ?? "") === input.value;
    }
  }
  if (!chosenBefore) own.set(coming.own);
  changes = 0;
  touched.clear();
  chosenAt = 0;
  pointer = "";
  tell();
}

function resize() {
  const { pixels, times } = fit(images, Number(words.enlarge));
  enlarged = times;
  const shrunk = pixels < 0.995;
  /** @type {HTMLElement} */
  let note = stage.querySelector(".note");
  if (shrunk && !note) {
    note = document.createElement("p");
    note.className = "note";
    stage.append(note);
  }
  if (note) {
    note.hidden = !shrunk;
    note.textContent = fill(words.shrunk, Math.round(100 * pixels), "");
  }
}

function measures() {
  const box = images.at(-1).getBoundingClientRect();
  return {
    rt_ms: Math.round((chosenAt || performance.now()) - shownAt),
    load_ms: Math.round(loadMs),
    changes,
    input: pointer,
    viewport_w: innerWidth,
    viewport_h: innerHeight,
    shown_w: box.width.toFixed(2),
    shown_h: box.height.toFixed(2),
    enlarged,
    dpr: devicePixelRatio,
    zoom: visualViewport?.scale ?? 1,
  };
}

async function send(url, fields) {
  busy = true;
  submit.setAttribute("aria-disabled", "true");
  const answered = trial;
  const sent = outbox.add(url, answered, fields);
  if (!byTap || url === words.skip) {
    tell();
    await Promise.race([sent, pause(PATIENCE_MS)]);
  } else {
    await tellAnswer(answered, sent);
  }
  if (trial === answered) next();
}

/** Show which answer was saved, for a moment in which Undo is at hand. */
async function tellAnswer(answered, sent) {
  answeredHere = true;
  told = answered;
  undo.removeAttribute("disabled");
  /** @type {HTMLInputElement} */
  const input = form.querySelector("fieldset.scale input:checked");
  const label = input.labels[0].textContent.replace(/\s+/g, " ").trim();
  toldWords = words.tap.replace("{answer}", label);
  tell();
  await Promise.all([Promise.race([sent, pause(PATIENCE_MS)]), pause(TOLD_MS)]);
  if (told === answered) told = null;
}

function skip(coming, reason) {
  const { token, revision } = coming;
  notice = words.failed;
  send(words.skip, { trial: token, revision, reason });
}

function answer(event) {
  event.preventDefault();
  if (form.classList.contains("finished")) location.assign(words.go);
  if (busy) return;
  const missing = questions().filter((question) => !chosen(question));
  for (const question of questions()) alertOf(question).hidden = !missing.includes(question);
  notice = "";
  const openOwn = own.missing();
  if (missing.length || openOwn) {
    tell();
    (missing[0]?.querySelector("input") ?? openOwn).focus();
    return;
  }
  // Pairs, not an object: several choices have one name.
  send(form.getAttribute("action"), [...new FormData(form), ...Object.entries(measures())]);
}

async function goBack(event) {
  event.preventDefault();
  told = null;
  // Undo goes by the database: what is still here must be there first.
  await outbox.flush();
  if (outbox.size) return;
  let response;
  try {
    response = await fetch(undo.formAction, {
      method: "POST",
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  } catch {
    tell(words.unreachable);
    return;
  }
  if (!response.ok || response.redirected) {
    location.assign(words.go);
    return;
  }
  adopt(await response.json());
  trial = null;
  next();
}

function press(event) {
  // In a field for words every key is a letter.
  if (event.target instanceof HTMLTextAreaElement) return;
  pointer = "key";
  if (byTap && event.key === "Backspace" && keys.checked && keys.checkVisibility() && !undo.disabled) {
    event.preventDefault();
    undo.click();
    return;
  }
  // Where the switch is out of sight (phones), so are its keys: nobody could turn them off.
  if (!keys.checked || !keys.checkVisibility() || event.ctrlKey || event.altKey || event.metaKey || event.repeat || busy) return;
  const open = questions().find((question) => !chosen(question));
  const question = open ?? document.activeElement.closest("fieldset.scale") ?? questions()[0];
  const input = [...question.querySelectorAll("input")].find((one) => one.dataset.key === event.key);
  if (!input) return;
  event.preventDefault();
  input.focus({ preventScroll: true });
  input.click();
  if (byTap) form.requestSubmit(submit);
}

form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => (event.submitter === undo ? goBack(event) : answer(event)));
form.addEventListener("change", ({ target }) => {
  const input = /** @type {HTMLInputElement} */ (target);
  if (input === keys) {
    remember(keys.checked);
    return;
  }
  const question = input.closest("fieldset");
  if (question.classList.contains("own")) return;
  const now = performance.now();
  // A slider moved by keys reports each step: those within a second are one change.
  const goesOn = input.type === "range" && now - chosenAt < 1000;
  if (touched.has(question) && !goesOn) changes += 1;
  touched.add(question);
  chosenAt = now;
  alertOf(question).hidden = true;
  tell();
});
if (byTap) {
  watchTaps(form, () => busy || performance.now() - shownAt < TOO_SOON_MS, () => form.requestSubmit(submit));
}
document.addEventListener("keydown", press);
document.addEventListener("pointerdown", (event) => { pointer = event.pointerType === "mouse" ? "mouse" : "touch"; });
window.addEventListener("resize", resize);
window.addEventListener("beforeunload", (event) => { if (outbox.size) event.preventDefault(); });

function remember(on) {
  try {
    localStorage.setItem("keys", on ? "on" : "off");
  } catch {
    // Without storage the switch holds for this page.
  }
}

try {
  keys.checked = localStorage.getItem("keys") !== "off";
} catch {
  keys.checked = true;
}
keys.closest("p").hidden = "none" in keys.closest("p").dataset;
if (byTap) {
  undo.toggleAttribute("disabled", Boolean(undo.hidden));
  undo.hidden = false;
}
if (outbox.size) outbox.flush();
next();
