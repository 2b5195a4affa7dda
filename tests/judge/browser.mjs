// One browser, its windows, and what is judged at each stop: a screenshot, and axe in light and dark.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Nobody looks at the pictures of a run that only has to pass: they are two fifths of its time.
const PICTURES = process.env.JUDGE_PICTURES !== "no";
// In the dark only colours are other ones: what a page is made of is judged once.
const RULES = {
  light: { resultTypes: ["violations"] },
  dark: { resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"] },
};
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export async function open(executablePath, more = []) {
  return chromium.launch({ executablePath, args: [...FLAGS, ...more] });
}

export class Window {
  // A person's window: its own cookies, one size.
  static async open(browser, width, where) {
    const size = { width, height: width < 600 ? 844 : 900 };
    const context = await browser.newContext({
      viewport: size, acceptDownloads: true, reducedMotion: "reduce", isMobile: false, permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const window = new Window(page, width, where);
    page.on("console", (message) => {
      // A page that says no has a status that says so, too; what is missing on a page is another matter.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) window.errors.push(message.text());
    });
    page.on("response", (answer) => {
      if (answer.status() >= 400 && answer.request().resourceType() !== "document") window.errors.push(`${answer.status()} ${answer.url()}`);
    });
    page.on("pageerror", (error) => window.errors.push(String(error)));
    return window;
  }

  constructor(page, width, where) {
    Object.assign(this, { page, width, where, errors: [], stops: 0 });
    mkdirSync(where, { recursive: true });
  }

  // What a person sees here: no accessibility finding in light or dark, nothing wider than the window.
  async look(name) {
    const { page } = this;
    this.stops += 1;
    await page.evaluate(() => scrollTo(0, 0));
    await page.evaluate(axe);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const file = `${this.where}/${this.width}-${String(this.stops).padStart(2, "0")}-${name}-${colorScheme}.png`;
      if (PICTURES) await page.screenshot({ path: file, fullPage: true });
      const found = await page.evaluate((options) => window.axe.run(document, options), RULES[colorScheme]);
      const words = found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} (${n.failureSummary})`));
      expect(words.length === 0, `axe at ${name}, ${this.width} px, ${colorScheme}:\n  ${words.join("\n  ")}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over <= 0, `${name} is ${over} px too wide at ${this.width} px`);
    expect(this.errors.length === 0, `the browser says at ${name}: ${this.errors.join("; ")}`);
  }

  // A part of the page as it stands in the window: what is in a frame below it is drawn only once it is scrolled to.
  async part(name, selector) {
    if (!PICTURES) return;
    const part = this.page.locator(selector);
    await part.scrollIntoViewIfNeeded();
    await part.screenshot({ path: `${this.where}/${this.width}-${String(this.stops).padStart(2, "0")}-${name}.png`, animations: "disabled" });
  }

  async press(name, exact = true) {
    await this.page.getByRole("button", { name, exact }).click();
  }

  async follow(name, exact = true) {
    await this.page.getByRole("link", { name, exact }).click();
  }

  async sees(text) {
    await this.page.getByText(text).first().waitFor();
  }

  // Presses a button that asks a worker, and waits for the answer. A page that shows itself anew just then has lost the press.
  async check(button) {
    const asked = this.page.waitForResponse((answer) => answer.request().method() === "POST");
    await this.press(button);
    await asked;
    await this.page.locator("#checklist:not([data-running])").waitFor();
  }

  // The last step of the checklist has this title and tone.
  async step(title, tone) {
    const step = this.page.locator(`.check.${tone}`, { has: this.page.getByText(title, { exact: false }) }).first();
    await step.waitFor().catch(() => { throw new Error(`${this.width} px: “${title}” is not shown as ${tone}`); });
    return step.innerText();
  }

  async close() {
    await this.page.context().close();
  }
}

export function expect(true_, words) {
  if (!true_) throw new Error(words);
}
