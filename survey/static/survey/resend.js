// Answers that wait in this browser are sent from whatever page of their study is open: a closed or paused study
// shows no rating page, and still takes what was answered before.

import { Outbox } from "./outbox.js";

const status = document.getElementById("unsent");
const words = status.dataset;
let sent = 0;

function tell(message = "") {
  const counts = words.saved.replace("{n}", String(sent)).replace("{of}", String(sent + outbox.size));
  status.textContent = `${counts}. ${message}`;
  status.hidden = false;
}

const outbox = new Outbox(words.go, {
  known: () => "",
  saved() {
    sent += 1;
    tell();
  },
  waiting() {
    tell(words.waiting);
  },
  refused(status) {
    // Any other refusal: their person has withdrawn, and there is nothing left to keep them for.
    if (status === 410) tell(words.late);
  },
});

if (outbox.size) outbox.flush();
window.addEventListener("beforeunload", (event) => { if (outbox.size) event.preventDefault(); });
