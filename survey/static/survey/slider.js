// A slider without a start value, over a number field that works without it and holds the answer.

export class Slider {
  #range;
  #number;
  #output;
  #unset;

  /** The slider of a question; null where it has buttons. */
  static of(question) {
    const box = question.querySelector(".slider");
    return box ? new Slider(box) : null;
  }

  constructor(box) {
    this.#range = /** @type {HTMLInputElement} */ (box.querySelector("input[type=range]"));
    this.#number = /** @type {HTMLInputElement} */ (box.querySelector("input[type=number]"));
    this.#output = box.querySelector("output");
    this.#unset = box.dataset.unset;
    this.#number.closest("p").hidden = true;
    this.#range.hidden = false;
    this.#range.addEventListener("input", () => this.set(this.#range.value));
    // A tap where the thumb would start changes nothing that the browser tells of.
    this.#range.addEventListener("pointerup", () => this.#choose());
    this.#range.addEventListener("keydown", (event) => { if (event.key === " ") this.#choose(); });
    this.set(this.#number.value);
  }

  get name() {
    return this.#number.name;
  }

  get value() {
    return this.#number.value;
  }

  get isSet() {
    return this.value !== "";
  }

  /** Show a value; "" for none. */
  set(value) {
    this.#number.value = value;
    // Without a value the browser puts the thumb in the middle; the stylesheet hides it.
    this.#range.value = value;
    this.#range.classList.toggle("unset", value === "");
    if (value === "") this.#range.setAttribute("aria-valuetext", this.#unset);
    else this.#range.removeAttribute("aria-valuetext");
    if (this.#output) this.#output.textContent = value === "" ? "–" : value;
  }

  #choose() {
    if (this.isSet) return;
    this.set(this.#range.value);
    this.#range.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
