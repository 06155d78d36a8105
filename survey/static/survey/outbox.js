// Answers on their way to the server. They lie in localStorage until the server has said that it holds them,
// so neither a lost connection nor a closed browser loses one. Sending one twice does no harm: the server
// knows each trial's token. Each has a key of its own there, so that two tabs never overwrite each other's.

const SLOWEST_RETRY_MS = 30_000;
const REQUEST_TIMEOUT_MS = 20_000;

export class Outbox {
  #prefix;
  #entries;
  #sending = null;
  #delay = 1000;
  #timer = 0;
  #on;

  /** `on`: {saved(reply, entry), waiting(), refused(status), known()}, called as answers are sent;
   * known() is the number of answers that the page knows to be saved, or "" to be told all. */
  constructor(name, on) {
    this.#prefix = `outbox ${name} `;
    this.#on = on;
    this.#entries = this.#read();
    window.addEventListener("online", () => this.flush());
  }

  get size() {
    return this.#entries.length;
  }

  holds(trial) {
    return this.#entries.some((entry) => entry.trial === trial.token && entry.revision === trial.revision);
  }

  /** Keep one form's fields for `url`; resolves when the server holds it (which may be never). */
  add(url, trial, fields) {
    const entry = { url, trial: trial.token, revision: trial.revision, fields, at: Date.now() };
    this.#entries.push(entry);
    this.#write(entry);
    return this.flush();
  }

  /** Send what is there, oldest first. */
  flush() {
    clearTimeout(this.#timer);
    this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    return this.#sending;
  }

  async #sendAll() {
    while (this.#entries.length) {
      const entry = this.#entries[0];
      let response;
      let reply = null;
      try {
        response = await this.#post(entry);
        if (response.ok) reply = await response.json();
      } catch {
        response = null;
      }
      if (!reply && (!response || response.ok || response.status >= 500 || response.status === 429)) {
        this.#later();
        return;
      }
      this.#delay = 1000;
      this.#entries.shift();
      this.#forget(entry);
      if (reply) this.#on.saved(reply, entry);
      else this.#on.refused(response.status);
    }
  }

  #post(entry) {
    const body = new URLSearchParams(entry.fields);
    body.set("waited_ms", String(Math.max(0, Date.now() - entry.at)));
    body.set("known", String(this.#on.known()));
    return fetch(entry.url, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      keepalive: true,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  }

  #later() {
    this.#on.waiting();
    this.#timer = setTimeout(() => this.flush(), this.#delay);
    this.#delay = Math.min(2 * this.#delay, SLOWEST_RETRY_MS);
  }

  #key(entry) {
    return `${this.#prefix}${entry.trial} ${entry.revision}`;
  }

  #read() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
      return keys.map((key) => JSON.parse(localStorage.getItem(key))).sort((a, b) => a.at - b.at);
    } catch {
      return [];
    }
  }

  #write(entry) {
    try {
      localStorage.setItem(this.#key(entry), JSON.stringify(entry));
    } catch {
      // No storage (private window, full disk): the page's own memory is what is left.
    }
  }

  #forget(entry) {
    try {
      localStorage.removeItem(this.#key(entry));
    } catch {
      // Never written, then.
    }
  }
}
