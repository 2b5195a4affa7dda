// The editor of a tenant's mails: the preview follows what is typed, a variable is put where the cursor is, and nobody leaves
// without being asked. Everything works without it, by buttons.
"use strict";

(() => {
  const QUIET_MS = 400;
  const APART_MS = 1000;
  const LATER_MS = 15000;
  const form = document.getElementById("editor");
  const busy = document.getElementById("busy");
  let timer = 0, looking = false, again = false, last = null, leaving = false;
  let unsaved = form.hasAttribute("data-unsaved");
  let numbers = 0;

  function soon(wait = QUIET_MS) {
    form.dataset.behind = "";
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  }

  // One at a time, and a second apart: what is typed meanwhile is looked at next.
  async function look() {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    busy.hidden = false;
    let pause = APART_MS;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Live": "1" }, credentials: "same-origin",
      });
      if (answer.ok && !answer.redirected) {
        found(new DOMParser().parseFromString(await answer.text(), "text/html"));
        await draw();
      } else if (answer.status === 429 || answer.status >= 500) {
        pause = LATER_MS;
        again = true;
      } else {
        document.getElementById("lost").hidden = false; // signed out meanwhile, say
      }
    } catch {
      pause = LATER_MS; // the gateway is away for a moment
      again = true;
    }
    busy.hidden = true;
    if (!again) delete form.dataset.behind;
    setTimeout(() => { looking = false; if (again) look(); }, pause);
  }

  // What was found, at its fields; the fields themselves stay as they are typed.
  function found(fresh) {
    unsaved = fresh.getElementById("editor").hasAttribute("data-unsaved");
    document.getElementById("lost").hidden = true;
    for (const part of document.querySelectorAll("#editor [data-live]:not(#sent)")) {
      const newer = fresh.getElementById(part.id);
      if (newer && newer.outerHTML !== part.outerHTML) part.replaceWith(newer);
    }
    for (const field of form.querySelectorAll("textarea, input[aria-describedby]")) {
      const newer = fresh.getElementById(field.id);
      if (newer?.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  // The next mail is drawn behind the one that is seen. A frame that is new leaves nothing to go back to.
  function draw() {
    const before = document.getElementById("frame");
    const next = before.cloneNode(false);
    next.removeAttribute("src");
    next.name = `mail-frame-${numbers += 1}`;
    next.id = "frame-next";
    next.classList.add("behind");
    next.tabIndex = -1;
    before.after(next);

    const button = document.createElement("button");
    button.formAction = document.getElementById("refresh").formAction;
    button.formTarget = next.name;
    button.formNoValidate = true;
    button.hidden = true;
    return new Promise((drawn) => {
      const done = () => {
        before.remove();
        next.id = "frame";
        next.classList.remove("behind");
        next.removeAttribute("tabindex");
        document.getElementById("refresh").formTarget = next.name;
        drawn();
      };
      next.addEventListener("load", done, { once: true });
      form.append(button);
      form.requestSubmit(button);
      button.remove();
    });
  }

  function insert(words) {
    const field = last ?? form.querySelector("textarea");
    field.focus();
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  for (const buttons of document.querySelectorAll("[data-unscripted]")) buttons.hidden = true;
  if (form.method !== "post") {
    form.addEventListener("change", () => form.requestSubmit());
    return;
  }

  for (const button of form.querySelectorAll("button[data-insert]")) {
    button.disabled = false;
    button.addEventListener("click", () => insert(button.dataset.insert));
  }
  for (const words of document.querySelectorAll("[data-scripted]")) words.hidden = false;
  form.addEventListener("focusin", (event) => { if (event.target.matches("textarea")) last = event.target; });
  form.addEventListener("input", (event) => {
    if (event.target.matches("#to, #connection, [name=width]")) return;
    if (event.target.matches("textarea, .first input, .first select")) unsaved = true;
    soon();
  });
  // What a button of its own clears is typed, too: nothing is sent for it.
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=clear]");
    if (!button) return;
    event.preventDefault();
    const field = document.getElementById(button.value);
    field.value = "";
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("submit", (event) => {
    if (!event.submitter?.formTarget) leaving = true;
  });
  addEventListener("beforeunload", (event) => { if (unsaved && !leaving) event.preventDefault(); });
  addEventListener("pageshow", () => { leaving = false; });
  if (unsaved) soon(0);
})();
