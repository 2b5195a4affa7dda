// Without a mouse: the first stop skips to the content, and everything that can be clicked or filled in can be reached.
import { expect } from "./browser.mjs";

const STOPS = "a[href], button:not([disabled]), input:not([type=hidden]):not([hidden]), textarea, select, summary, iframe";

export async function keyboard(window, town, ...paths) {
  for (const path of paths) await reaches(window, town.gateway + path);
}

async function reaches(window, url) {
  const { page } = window;
  await page.goto(url);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  expect(first === "Skip to the content" , `the first stop is ${first}`);
  // Of what is chosen from, one is a stop: the arrows reach the others.
  const there = await page.evaluate((stops) => {
    const reachable = [...document.querySelectorAll(stops)].filter((each) => each.tabIndex >= 0 && each.checkVisibility() && (each.type !== "radio" || each.checked));
    for (const each of reachable) each.dataset.stop = "";
    return reachable.length;
  }, STOPS);
  for (let presses = 0; presses < 2 * there + 20; presses += 1) {
    await page.evaluate(() => { document.activeElement.removeAttribute("data-stop"); });
    await page.keyboard.press("Tab");
  }
  const left = await page.evaluate(() => [...document.querySelectorAll("[data-stop]")].map((each) => each.outerHTML.slice(0, 90)));
  expect(left.length === 0, `the keyboard reaches ${there - left.length} of ${there}; not ${left.join(", ")}`);
}
