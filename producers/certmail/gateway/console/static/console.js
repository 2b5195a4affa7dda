// Three conveniences; everything works without them. Copy buttons, times in the reader's own zone, and pages that renew what
// changes while a worker is at it.
"use strict";

const PAUSE_MS = 600;
const SPREADING_MS = 10000;

function offerToCopy(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  await navigator.clipboard.writeText(text);
  const said = button.querySelector("[data-said]");
  const before = said.textContent;
  said.textContent = button.dataset.done;
  say(button.dataset.done);
  setTimeout(() => { said.textContent = before; }, 1600);
});

// Times stand there in UTC; whoever reads them lives somewhere.
function showInTheirZone(root) {
  const page = document.documentElement.lang;
  const language = navigator.languages.find((each) => each.split("-")[0] === page) ?? page;
  const day = { day: "numeric", month: "short", year: "numeric" };
  const moment = { ...day, hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  const forms = { day, second: { ...moment, second: "2-digit" } };
  for (const time of root.querySelectorAll("time[data-moment]")) {
    const asked = forms[time.dataset.moment] ?? moment;
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(language, asked).format(new Date(time.dateTime));
  }
}

function say(words) {
  document.getElementById("said").textContent = words;
}

// A part is replaced only when it has changed, so that focus, scrolling and what somebody is reading stay where they are.
function renew(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = fresh.getElementById(part.id);
    if (!newer || newer.outerHTML === served.get(part.id)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    const opened = part.querySelector("details")?.open;
    served.set(part.id, newer.outerHTML);
    part.replaceWith(newer);
    if (opened && newer.querySelector("details")) newer.querySelector("details").open = true;
    dress(newer);
    if (focused) document.getElementById(focused)?.focus();
  }
  tell(document);
}

// What the gateway sent, before it was dressed or opened here: so only what is news is replaced.
const served = new Map();

function remember() {
  for (const part of document.querySelectorAll("[data-live]")) served.set(part.id, part.outerHTML);
}

function dress(root) {
  offerToCopy(root);
  showInTheirZone(root);
}

// A screen reader hears of each new step once.
function tell(from) {
  const news = from.getElementById("news")?.textContent.trim();
  if (news && news !== document.getElementById("said").textContent) say(news);
}

// When it is over, the page may be another one: what was set up now works, what was removed is gone. Only then is somebody led
// to its top; a step that failed is read where it stands.
function turnOver(fresh) {
  const focused = document.activeElement.id;
  const before = document.querySelector("main"), after = fresh.querySelector("main");
  if (after.dataset.state === before.dataset.state) return renew(fresh);
  tell(fresh);
  before.replaceWith(after);
  remember();
  dress(after);
  document.getElementById(focused)?.focus({ preventScroll: true });
  if (after.dataset.guide === before.dataset.guide) return;
  if (document.activeElement === document.body) after.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

let watching = false;

// While something is under way, the page asks for itself again; what is live may have brought that, too.
async function watch() {
  if (watching) return;
  watching = true;
  try {
    await watchAll();
  } finally {
    watching = false;
  }
}

async function watchAll() {
  while (document.querySelector("[data-running], [data-spreading]")) {
    // While Google spreads a change, a worker tries by itself every now and then.
    const pause = document.querySelector("[data-running]") ? PAUSE_MS : SPREADING_MS;
    await new Promise((done) => setTimeout(done, pause));
    let answer;
    try {
      // A part may be renewed from a page of its own: what was sent from an editor, say.
      const at = document.querySelector("[data-running]")?.dataset.at ?? location.href;
      answer = await fetch(at, { headers: { "X-Live": "1" }, credentials: "same-origin" });
    } catch {
      continue; // the gateway is away for a moment
    }
    if (!answer.ok || answer.redirected) {
      location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.querySelector("[data-running]")) renew(fresh);
    else turnOver(fresh);
  }
}

remember();
dress(document);
watch();
