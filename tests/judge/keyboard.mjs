// Without a mouse: the first stop skips to the content, and everything that can be clicked can be reached.
import { expect } from "./browser.mjs";

export async function keyboard(window, town) {
  const { page } = window;
  await page.goto(`${town.gateway}/console`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  expect(first === "Skip to the content" , `the first stop is ${first}`);
  const reached = new Set();
  for (let presses = 0; presses < 60; presses += 1) {
    const name = await page.evaluate(() => {
      const at = document.activeElement;
      return at === document.body ? "" : `${at.tagName} ${at.getAttribute("href") ?? at.id ?? ""} ${at.textContent.trim()}`;
    });
    if (!name && presses > 3) break;
    reached.add(name);
    await page.keyboard.press("Tab");
  }
  const there = await page.locator("a[href], button:not([disabled]), input:not([type=hidden]):not([hidden])").count();
  expect(reached.size >= there, `the keyboard reaches ${reached.size} of ${there}`);
}
