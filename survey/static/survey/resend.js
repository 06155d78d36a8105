// Answers that wait in this browser are sent from whatever page of their study is open: a closed or paused study
// shows no rating page, and still takes what was answered before.

import { Outbox } from "./outbox.js";

const status = document.getElementById("unsent");
const words = status.dataset;
let sent = 0;

function tell(message = "") {
  const counts = words.saved.replace("{n}", sent).replace("{of}", sent + outbox.size);
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
  // Their person has withdrawn: there is nothing left to keep them for.
  refused() {},
});

if (outbox.size) outbox.flush();
window.addEventListener("beforeunload", (event) => { if (outbox.size) event.preventDefault(); });
