// The break between two blocks of images, without leaving the page: it also comes where the network is gone.

const box = document.getElementById("break");
const over = new Set();

/** Show how far the person is until they go on; at once where no break stands before this trial, or it is over. */
export async function rest(coming) {
  if (!box || !coming.break || over.has(coming.token)) return;
  over.add(coming.token);
  const done = coming.number - 1;
  const progress = box.querySelector("progress");
  progress.value = done;
  progress.max = coming.of;
  box.querySelector("p").textContent = box.dataset.done.replace("{n}", String(done)).replace("{of}", coming.of);
  document.body.classList.add("resting");
  box.hidden = false;
  box.querySelector("h1").focus();
  await new Promise((resolve) => { box.querySelector("button").addEventListener("click", resolve, { once: true }); });
  box.hidden = true;
  document.body.classList.remove("resting");
}
