// The form of own questions: a field shows where it says something. Without this script all of them show.

/** @param {string} name */
const field = (name) => {
  const input = document.getElementsByName(name)[0];
  return input instanceof HTMLElement ? input : null;
};

/** @param {HTMLSelectElement} answer */
function watch(answer) {
  const row = answer.name.replace(/answer$/, "");
  const about = /** @type {HTMLSelectElement} */ (field(`${row}about`));
  const show = (name, on) => field(name)?.closest(".asks")?.toggleAttribute("hidden", !on);
  const update = () => {
    const inWords = answer.value === "text";
    show(`${row}max_length`, inWords);
    show(`${row}when`, about.value === "person");
    const lines = /** @type {NodeListOf<HTMLTextAreaElement>} */ (document.querySelectorAll(`textarea[name^="${row}choices:"]`));
    // What is written stays in sight: it would be refused.
    for (const choices of lines) show(choices.name, !inWords || choices.value !== "");
  };
  answer.addEventListener("change", update);
  about.addEventListener("change", update);
  update();
}

for (const answer of /** @type {NodeListOf<HTMLSelectElement>} */ (document.querySelectorAll('select[name^="own_questions."][name$=".answer"]'))) {
  watch(answer);
}
