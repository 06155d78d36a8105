// Asks an address now and then: soon after a change, ever rarer while nothing changes, never while the tab is hidden.

const SHORTEST = 2_000;
const LONGEST = 30_000;

/** Call `changed(json)` whenever the answer is another; it returns false when there is nothing more to wait for. */
export function poll(address, changed, lost) {
  let wait = SHORTEST;
  let tag = "";
  let timer = 0;
  let goes = true;

  async function look() {
    const response = await fetch(address, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (response.status === 304) {
      wait = Math.min(wait * 1.5, LONGEST);
    } else if (response.ok && !response.redirected) {
      tag = response.headers.get("ETag") ?? "";
      wait = SHORTEST;
      goes = changed(await response.json());
    } else {
      throw new Error(String(response.status));
    }
  }

  async function loop() {
    try {
      await look();
    } catch {
      wait = Math.min(wait * 2, LONGEST);
      lost();
    }
    again();
  }

  function again() {
    clearTimeout(timer);
    if (goes && !document.hidden) timer = setTimeout(loop, wait);
  }

  document.addEventListener("visibilitychange", () => {
    wait = SHORTEST;
    again();
  });
  again();
}
