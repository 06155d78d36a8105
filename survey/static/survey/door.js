// The smallest window that a study takes: before consent, and again on the images' pages, since phones turn and windows shrink.

const door = document.getElementById("door");
const covered = [...document.body.children].filter((part) => part instanceof HTMLElement && part !== door);
const least = { width: Number(door.dataset.width), height: Number(door.dataset.height) };
/** @type {HTMLElement} */
const sentence = door.querySelector("[data-says]");
let before = null;

// The root's size does not follow fingers that zoom in; the window's counts the scroll bar.
function size() {
  const root = document.documentElement;
  return { x: Math.max(root.clientWidth, innerWidth), y: Math.max(root.clientHeight, innerHeight) };
}

function look() {
  const { x, y } = size();
  const small = x < least.width || y < least.height;
  for (const [name, value] of Object.entries({ window_w: x, window_h: y })) {
    const field = document.querySelector(`input[name=${name}]`);
    if (field instanceof HTMLInputElement) field.value = String(Math.round(value));
  }
  const words = { width: least.width, height: least.height, x: Math.round(x), y: Math.round(y) };
  const text = sentence.dataset.says.replace(/\{(\w+)\}/g, (_, name) => String(words[name]));
  if (sentence.textContent !== text) sentence.textContent = text;
  if (small === !door.hidden) return;
  door.hidden = !small;
  for (const part of covered) part.toggleAttribute("inert", small);
  if (small) {
    before = document.activeElement;
    door.focus();
  } else if (before instanceof HTMLElement) {
    before.focus();
  }
}

// Keys answer on the page of an image, wherever the focus is: not while nobody sees it.
addEventListener("keydown", (event) => {
  if (!door.hidden && event.key !== "Tab") event.stopImmediatePropagation();
}, true);
document.querySelector(".unscripted")?.remove();
addEventListener("resize", look);
look();
