// Where a page has something that changes by itself: fetches it again every few seconds and swaps it in; the search box and the scroll position stay as they are.
const live = document.getElementById("live");
const seconds = Number(live?.dataset.refresh ?? 0);

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (next && !live.contains(document.activeElement)) live.replaceChildren(...next.childNodes);
    } catch {
      // The sandbox is being restarted; the next round tells.
    }
  }
  setTimeout(refresh, seconds * 1000);
}

if (live) setTimeout(refresh, seconds * 1000);
