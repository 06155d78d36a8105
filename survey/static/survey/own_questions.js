// The study's own questions about an image: words and choices, beside the scale.

/** @param {HTMLFormElement} form */
export function ownQuestions(form) {
  const all = /** @type {HTMLElement[]} */ ([...form.querySelectorAll("fieldset.own")]);
  /** @param {HTMLElement} own */
  const inputs = (own) => /** @type {HTMLInputElement[]} */ ([...own.querySelectorAll("input, textarea")]);
  const isButton = (input) => input.type === "radio" || input.type === "checkbox";
  const isAnswered = (own) => inputs(own).some((input) => (isButton(input) ? input.checked : input.value.trim() !== ""));

  /** @param {HTMLElement} own */
  const alertOf = (own) => /** @type {HTMLElement} */ (own.querySelector(".alert"));

  const clear = ({ target }) => {
    const own = target.closest("fieldset.own");
    if (own) alertOf(own).hidden = true;
  };
  form.addEventListener("input", clear);

  return {
    /** Put in what was answered before an undo, or nothing. */
    set(given) {
      for (const own of all) {
        const values = given[own.dataset.key.slice(2)] ?? [];
        alertOf(own).hidden = true;
        for (const input of inputs(own)) {
          if (isButton(input)) input.checked = values.includes(input.value);
          else input.value = values[0] ?? "";
        }
      }
    },
    /** Mark what must be answered and is not; return its first input. */
    missing() {
      const open = all.filter((own) => "required" in own.dataset && !isAnswered(own));
      for (const own of all) alertOf(own).hidden = !open.includes(own);
      return open.length ? inputs(open[0])[0] : null;
    },
  };
}
