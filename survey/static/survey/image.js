// One image, honestly: whole or not at all, and at a size that is known.

const TRIES = 3;
const loads = new Map();

/** Return a promise of an object URL with the image's verified bytes; rejects with "failed" or "truncated". */
export function load(image) {
  if (!loads.has(image.src)) {
    const loading = attempt(image, TRIES);
    // A failure is not remembered: a later try may have a better line.
    loading.catch(() => loads.delete(image.src));
    loads.set(image.src, loading);
  }
  return loads.get(image.src);
}

/** Load the images of some trials one after the other: all at once would starve the one being waited for. */
export async function preload(trials) {
  for (const image of trials.flatMap((trial) => trial.images)) {
    try {
      await load(image);
    } catch {
      return;
    }
  }
}

async function attempt(image, tries) {
  for (let left = tries - 1; ; left -= 1) {
    try {
      return URL.createObjectURL(await verified(image, left < tries - 1));
    } catch (error) {
      if (!left) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 500 * (tries - left)); });
    }
  }
}

async function verified(image, again) {
  let bytes;
  try {
    const response = await fetch(image.src, { credentials: "same-origin", cache: again ? "reload" : "default" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    bytes = await response.arrayBuffer();
  } catch {
    throw "failed";
  }
  // Web Crypto exists on https and localhost only; elsewhere fetch's own check of the length must do.
  if (crypto.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    if (Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") !== image.sha256) throw "truncated";
  }
  return new Blob([bytes], { type: "image/png" });
}

/** Return the largest size at which the page has room for an image, whatever the image's own. */
function room(img) {
  img.style.inlineSize = "100000px";
  const box = img.getBoundingClientRect();
  img.style.inlineSize = "";
  return box;
}

/**
 * Draw loaded images at one scale: each of their pixels is a whole number of device pixels where the page has room for
 * that, else as large as fits. `most`: how many times that they may be enlarged.
 * Return device pixels for each image pixel (below 1, detail is lost and must be declared), and how often enlarged.
 */
export function fit(images, most) {
  const scales = images.map((img) => {
    const { width, height } = room(img);
    return Math.min(width / img.naturalWidth, height / img.naturalHeight);
  });
  const unit = Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;
  const fits = Math.min(...scales);
  // A hair's breadth too little is rounding.
  const times = Math.max(1, Math.min(most, Math.floor(fits / unit + 0.002)));
  const scale = fits > 0.998 * unit ? times * unit : Math.min(fits, 1);
  for (const img of images) {
    img.style.inlineSize = `${img.naturalWidth * scale}px`;
    img.style.imageRendering = times > 1 ? "pixelated" : "";
  }
  return { pixels: scale * devicePixelRatio, times };
}
