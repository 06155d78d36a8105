// Tables sort by a click on a heading; without script they are as the server sorted them. Texts can be copied.

const number = /^[+-]?[\d.]+(e[+-]?\d+)?/i;

function key(cell) {
  const text = cell.textContent.trim();
  const found = text.replace("−", "-").match(number);
  return found ? Number(found[0]) : text;
}

function compare(a, b) {
  if (a === "" || b === "") return Number(a === "") - Number(b === "");
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sort(table, heading) {
  const column = heading.cellIndex;
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
  // Empty cells stay last in either direction.
  rows.sort(([a], [b]) => (a === "" || b === "" || ascending ? compare(a, b) : compare(b, a)));
  body.append(...rows.map(([, row]) => row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

/** @type {NodeListOf<HTMLTableElement>} */
const sortable = document.querySelectorAll("table.sortable");
for (const table of sortable) {
  for (const heading of table.tHead.rows[0].cells) {
    if (heading.hasAttribute("data-unsortable")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading));
  }
}

// A plot has its place from the beginning. What is told while it comes lies under it; what is told when it fails, over it.
const STILL = "Still drawing; large studies take up to a minute.";

function watch(box) {
  const picture = box.querySelector("img");
  const failed = box.querySelector(".failed");
  const address = picture.src;
  let timer = 0;

  function wait() {
    box.setAttribute("aria-busy", "true");
    timer = setTimeout(() => { box.querySelector(".coming").textContent = STILL; }, 10_000);
  }

  function end(isThere) {
    clearTimeout(timer);
    box.removeAttribute("aria-busy");
    failed.hidden = isThere;
  }

  picture.addEventListener("load", () => end(true));
  picture.addEventListener("error", () => end(false));
  failed.querySelector("button").addEventListener("click", () => {
    failed.hidden = true;
    wait();
    picture.src = `${address}&again=${Date.now()}`;
  });
  if (picture.complete && !picture.naturalWidth) end(false);
  // A picture far below is not asked for yet.
  new IntersectionObserver(([now]) => { if (now.isIntersecting && !picture.complete && !timer) wait(); }).observe(box);
}

for (const box of document.querySelectorAll(".drawn")) watch(box);

// Copying needs a secure address; without one the text is there to be marked by hand.
if (navigator.clipboard) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const copies = document.querySelectorAll("[data-copy]");
  for (const button of copies) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      /** @type {HTMLElement & {value?: string}} */
      const source = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.textContent = "Copied";
    });
  }
}
