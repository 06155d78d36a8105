// One tap for each answer: a pointer's choice is an answer. Arrow keys and a screen reader's choice only move; Enter answers.

/**
 * @param {HTMLFormElement} form
 * @param {() => boolean} refuses whether a tap counts for nothing now
 * @param {() => void} answer sends what is chosen
 */
export function watchTaps(form, refuses, answer) {
  let pending = false;
  form.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    // The keyboard's clicks have no detail.
    if (!event.detail || !target.closest("fieldset.scale") || !target.closest("label, input[type='radio']")) return;
    // A label passes its click on to its button: that one is not another tap.
    if (pending) return;
    if (refuses()) {
      event.preventDefault();
      return;
    }
    pending = true;
    // Then the button is checked, also where it was its label that was tapped.
    setTimeout(() => {
      pending = false;
      answer();
    });
  }, true);
}
