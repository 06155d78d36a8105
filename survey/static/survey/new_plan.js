// The form of a new image set: a count while choosing, and another method's own values. Without script the next page
// shows the count, and a button shows the values.

const WAIT = 300;
const LEFT = "choices of a new image set";

/** @returns {NodeListOf<HTMLElement>} */
const all = (within, selector) => within.querySelectorAll(selector);
/** @returns {NodeListOf<HTMLDetailsElement>} */
const factorsOf = (within) => within.querySelectorAll("details[data-factor]");

/** @param {HTMLFormElement} form */
export function choosePlan(form) {
  const box = document.getElementById("count");
  const part = (name) => box.querySelector(`[data-${name}]`);
  let timer = 0;
  let asked = 0;

  function removeHelpWithoutScript() {
    for (const only of all(form, ".without-script")) only.remove();
  }

  function ticked(name) {
    return form.querySelectorAll(`input[type="checkbox"][name="${name}"]:checked`).length;
  }

  // What the browser itself knows is said at once.
  function countTicks() {
    for (const span of all(form, "[data-chosen]")) span.textContent = `${ticked(span.dataset.chosen)} chosen`;
    for (const factor of factorsOf(form)) {
      /** @type {HTMLElement} */
      const values = factor.querySelector("[data-values]");
      values.dataset.own ??= values.textContent.includes("values") ? "" : values.textContent;
      const count = ticked(factor.dataset.factor);
      values.textContent = count > 1 ? `${count} values` : count ? "1 value for all" : values.dataset.own;
    }
  }

  function show(now) {
    const images = now.images;
    part("images").textContent = images === null ? "No count yet" : `${images} image${images === 1 ? "" : "s"}`;
    part("parts").textContent = images === null ? missing() : now.parts.join(" × ");
    box.querySelector("dl").hidden = images === null;
    part("time").textContent = now.time || "on the next page";
    part("disk").textContent = now.disk || "on the next page";
    part("weights").textContent = now.weights;
    part("notes").textContent = now.notes.join(" ");
    for (const line of all(form, "[data-error]")) {
      const message = now.errors[line.dataset.error] ?? "";
      line.textContent = message;
      line.closest("details, fieldset").classList.toggle("has-error", message !== "");
    }
  }

  function missing() {
    if (!ticked("content")) return "Choose at least one photograph";
    if (!ticked("style")) return "Choose at least one style";
    return "One of the values is not possible";
  }

  async function count() {
    keep();
    const mine = ++asked;
    box.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.dataset.count, { method: "POST", body: new FormData(form) });
      if (response.ok && mine === asked) show(await response.json());
    } catch {
      if (mine === asked) part("notes").textContent = "The server cannot be reached; the count is not up to date.";
    }
    if (mine === asked) box.removeAttribute("aria-busy");
  }

  function later() {
    countTicks();
    clearTimeout(timer);
    timer = setTimeout(count, WAIT);
  }

  // The same form from the server, with these choices and with the values of their method.
  async function look(chosen) {
    const data = new FormData();
    for (const [name, value] of chosen) data.append(name, value);
    data.set("csrfmiddlewaretoken", new FormData(form).get("csrfmiddlewaretoken"));
    data.set("look", "1");
    const text = await (await fetch(form.action, { method: "POST", body: data })).text();
    return new DOMParser().parseFromString(text, "text/html");
  }

  // What is ticked stays, and what is open stays open.
  async function showMethod() {
    const opened = [...factorsOf(form)].filter((factor) => factor.open).map((factor) => factor.dataset.factor);
    const fresh = (await look(new FormData(form))).getElementById("vary");
    if (!fresh) return;
    for (const factor of factorsOf(fresh)) factor.open ||= opened.includes(factor.dataset.factor);
    document.getElementById("vary").replaceWith(fresh);
    countTicks();
  }

  // The page's place in the browser's history holds the choices: Back and Reload find them again.
  function keep() {
    history.replaceState({ chosen: [...new FormData(form)] }, "");
  }

  // Who goes to upload more pictures comes back by a link, to a new page: this tab keeps the choices until then.
  function takeLeft() {
    const left = sessionStorage.getItem(LEFT);
    sessionStorage.removeItem(LEFT);
    return left ? JSON.parse(left) : null;
  }

  // What is typed or ticked until the answer comes is newer than the choices that it brings.
  async function restore(chosen) {
    const newer = new Set();
    const note = (event) => newer.add(event.target);
    form.addEventListener("input", note);
    const fresh = (await look(chosen)).querySelector(".chosen");
    form.removeEventListener("input", note);
    if (!fresh) return;
    for (const input of newer) carry(input, fresh);
    form.querySelector(".chosen").replaceWith(fresh);
    removeHelpWithoutScript();
  }

  function carry(input, fresh) {
    const picks = input.type === "checkbox" || input.type === "radio";
    const twins = [...fresh.querySelectorAll(`[name="${CSS.escape(input.name)}"]`)];
    const twin = twins.find((each) => !picks || each.value === input.value);
    if (twin && picks) twin.checked = input.checked;
    else if (twin) twin.value = input.value;
  }

  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.name === "preset") showMethod().catch(() => {});
    later();
  });
  form.addEventListener("input", later);
  form.addEventListener("submit", keep);
  form.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-leaves]")) return;
    keep();
    sessionStorage.setItem(LEFT, JSON.stringify(history.state.chosen));
  });
  removeHelpWithoutScript();
  countTicks();
  const left = takeLeft();
  const chosen = history.state?.chosen ?? left;
  if (chosen) restore(chosen).then(later, later);
  else count();
}
