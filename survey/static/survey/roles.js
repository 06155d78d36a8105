// A click on a thumbnail gives the image the chosen role; the select under it says the same, and is all there is without script.

const mark = document.getElementById("mark");
const count = document.getElementById("count");
const tiles = [...document.querySelectorAll(".roles li")];
const roleOf = (tile) => tile.querySelector("select[name^='role.']");

function show(tile) {
  const role = roleOf(tile).value;
  tile.className = `role-${role}`;
  const answer = tile.querySelector(".answer-of");
  if (answer) answer.hidden = role !== "gold";
}

function tell() {
  const names = new Map([...mark.querySelectorAll("input")].map((input) => [input.value, input.labels[0].textContent]));
  const parts = [];
  for (const [role, name] of names) {
    const number = tiles.filter((tile) => roleOf(tile).value === role).length;
    if (number) parts.push(`${number} ${name.split(":")[0].toLowerCase()}`);
  }
  count.textContent = parts.join(" · ");
}

for (const tile of tiles) {
  show(tile);
  roleOf(tile).addEventListener("change", () => { show(tile); tell(); });
  tile.querySelector("img").addEventListener("click", () => {
    /** @type {HTMLInputElement} */
    const chosen = mark.querySelector("input:checked");
    const wanted = chosen.value;
    roleOf(tile).value = roleOf(tile).value === wanted ? "main" : wanted;
    show(tile);
    tell();
  });
}
mark.hidden = false;
tell();
