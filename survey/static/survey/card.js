// A card's outline that is made as large as a real one: by a slider, by its buttons and keys, or by drawing at a corner.
// What is sent is the CSS pixels of a millimetre, and only once somebody has moved it.

// ISO/IEC 7810, format ID-1, in mm.
const LONG = 85.6;
const SHORT = 53.98;
// Upright on a phone: lying, a card is wider than the screen.
const NARROW = 600;

const box = document.getElementById("matching");
if (box) match(box);
const centimetres = document.querySelector("input[name=distance_cm]");
centimetres?.addEventListener("input", () => {
  /** @type {HTMLInputElement} */ (document.getElementById("distance-said")).checked = true;
});

function match(box) {
  /** @type {HTMLInputElement} */
  const range = box.querySelector("#card-size");
  /** @type {HTMLElement} */
  const card = box.querySelector(".card");
  /** @type {HTMLInputElement} */
  const none = box.querySelector("#no_card");
  /** @type {HTMLInputElement} */
  const pixels = box.querySelector("[name=pixels_per_mm]");
  /** @type {HTMLInputElement} */
  const density = box.querySelector("[name=dpr]");
  let upright = false;
  let drag = null;

  // The outline as wide as the slider says; the long side is what is set.
  function draw() {
    upright = document.documentElement.clientWidth < NARROW;
    const long = Number(range.value);
    const short = (long * SHORT) / LONG;
    card.style.width = `${upright ? short : long}px`;
    // Its corners have a radius of 3.18 mm.
    card.style.borderRadius = `${(long * 3.18) / LONG}px`;
    card.style.height = `${upright ? long : short}px`;
  }

  function set(long) {
    range.value = String(long);
    none.checked = false;
    keep();
  }

  function keep() {
    pixels.value = (Number(range.value) / LONG).toFixed(4);
    density.value = String(devicePixelRatio);
    draw();
  }

  range.addEventListener("input", () => set(range.value));
  for (const button of box.querySelectorAll("button[data-by]")) {
    button.addEventListener("click", () => set(Number(range.value) + Number(button.dataset.by)));
  }
  card.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, long: Number(range.value) };
    card.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  card.addEventListener("pointermove", (event) => {
    if (!drag) return;
    // The corner follows the finger along the side that it moved more.
    const across = (event.clientX - drag.x) * (upright ? LONG / SHORT : 1);
    const down = (event.clientY - drag.y) * (upright ? 1 : LONG / SHORT);
    set(drag.long + (Math.abs(across) > Math.abs(down) ? across : down));
  });
  for (const name of ["pointerup", "pointercancel"]) card.addEventListener(name, () => { drag = null; });
  none.addEventListener("change", () => {
    if (none.checked) pixels.value = "";
  });
  addEventListener("resize", draw);

  range.value = pixels.value ? String(Number(pixels.value) * LONG) : String(LONG * 3.8);
  for (const part of box.querySelectorAll(".card-tools, .card")) part.hidden = false;
  box.querySelector(".unscripted").remove();
  draw();
}
