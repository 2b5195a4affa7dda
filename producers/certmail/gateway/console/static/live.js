// Lists that renew themselves: the gateway says that something of a tenant has changed, and the page asks for itself again,
// every two seconds at most and only while somebody sees it. Without this they are as they were when they were opened.
"use strict";

const REST_MS = 2000;

function listen() {
  const wanted = document.querySelector("main")?.dataset.listen;
  if (!wanted || !window.EventSource) return;
  const source = new EventSource("/console/live");
  let news = false, resting = false;

  async function look() {
    if (!news || resting || document.hidden) return;
    news = false;
    resting = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.redirected) return source.close(); // the visit is over
      if (answer.ok) renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
      watch();
    } catch {
      news = true; // the gateway is away for a moment
    } finally {
      setTimeout(() => { resting = false; look(); }, REST_MS);
    }
  }

  source.onmessage = (message) => {
    const { tenants } = JSON.parse(message.data);
    if (wanted !== "*" && !tenants.includes("*") && !tenants.includes(wanted)) return;
    news = true;
    look();
  };
  source.addEventListener("over", () => source.close());
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => source.close());
}

listen();
