// Draws each mail in Chromium as mail programs would: nothing may stick out, and axe is asked.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open } from "../browser.mjs";
import { asGmail, asWord } from "./programs.mjs";
import { sheet } from "./sheet.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const asItIs = (html) => html;
const WAYS = [
  { name: "360 light", width: 360, axe: true },
  { name: "360 dark", width: 360, scheme: "dark", axe: true },
  { name: "600 light", width: 600 },
  { name: "600 dark", width: 600, scheme: "dark" },
  { name: "360 without images", width: 360, images: false },
  { name: "360 Gmail", width: 360, cut: asGmail, axe: true },
  // Its table is 600 wide, and has the page's edge on both sides.
  { name: "600 Word", width: 632, cut: asWord },
];
// Which of them are on the sheet; all of them are judged.
const SHOWN = {
  "rich plain": ["360 light", "360 dark", "600 light", "600 dark", "360 Gmail", "600 Word"],
  "rich own": ["360 light", "600 dark", "360 without images", "600 Word"],
  "thin plain": ["360 light", "600 dark"],
  "nasty plain": ["360 dark", "600 Word"],
};
// What a mail has no part in: the frame around it, with its landmarks, is the mail program's.
const NOT_A_MAILS = ["region", "landmark-one-main", "page-has-heading-one"];
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="128" height="32"><rect width="128" height="32" rx="6" fill="#7a1fa2"/></svg>';

export async function drawn(chromium, mails, sheets, pictures, found, say) {
  const browser = await open(chromium);
  const rules = new Set();
  let drawings = 0;

  for (const locale of new Set(mails.map((mail) => mail.locale))) {
    const figures = [];
    const pages = await windows(browser, pictures);
    mkdirSync(`${sheets}/${locale}`, { recursive: true });
    for (const mail of mails.filter((each) => each.locale === locale)) {
      for (const way of WAYS.filter((each) => each.images !== false || mail.look === "own")) {
        const page = pages[way.images === false ? "without" : (way.scheme ?? "light")];
        await page.setViewportSize({ width: way.width, height: 400 });
        await page.setContent((way.cut ?? asItIs)(mail.html));
        drawings += 1;
        for (const each of await page.evaluate(outside)) found(mail, `${way.name}: ${each}`);
        if (way.axe && mail.sample === "rich") await asked(page, mail, way, rules, found);
        if (SHOWN[`${mail.sample} ${mail.look}`]?.includes(way.name)) {
          figures.push({ mail, way: way.name, width: way.width, picture: await kept(page, `${sheets}/${locale}/${mail.kind}-${mail.sample}-${mail.look}-${way.name.replaceAll(" ", "-")}.jpg`) });
        }
      }
    }

    await sheet(browser, figures, `${sheets}/${locale}.png`);
    for (const page of Object.values(pages)) await page.context().close();
    say(`${sheets}/${locale}.png`);
  }
  await browser.close();
  return { drawings, rules: [...rules].sort() };
}

async function windows(browser, pictures) {
  const made = {};
  for (const name of ["light", "dark", "without"]) {
    const context = await browser.newContext({ colorScheme: name === "dark" ? "dark" : "light" });
    await context.route("**/*", (route) => {
      const there = name !== "without" && new URL(route.request().url()).host === pictures;
      return there ? route.fulfill({ contentType: "image/svg+xml", body: LOGO }) : route.abort();
    });
    made[name] = await context.newPage();
  }
  return made;
}

// What sticks out of the window, and words that stick out of what they stand in. Runs in the page.
function outside() {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const out = wide > 0 ? [`${wide} px too wide`] : [];
  const seen = (element) => getComputedStyle(element).display !== "none" && element.getBoundingClientRect().width > 1;
  for (const cell of [...document.querySelectorAll("td")].filter(seen)) {
    const box = cell.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(cell);
    const over = [...range.getClientRects()].filter((each) => each.width > 1 && (each.right > box.right + 1 || each.left < box.left - 1));
    if (over.length) out.push(`sticks out of its cell by ${Math.round(Math.max(...over.map((each) => Math.max(each.right - box.right, box.left - each.left))))} px: ${cell.textContent.trim().slice(0, 60)}`);
  }
  return out.slice(0, 3);
}

async function asked(page, mail, way, rules, found) {
  await page.evaluate(axe);
  const answer = await page.evaluate((off) => window.axe.run(document, { rules: Object.fromEntries(off.map((each) => [each, { enabled: false }])) })
    .then(({ passes, violations }) => ({
      met: [...passes, ...violations].map((each) => each.id),
      wrong: violations.map((each) => `${each.id}: ${each.nodes[0].html} (${each.nodes[0].failureSummary})`),
    })), NOT_A_MAILS);
  for (const each of answer.met) rules.add(each);
  for (const each of answer.wrong) found(mail, `${way.name}: axe ${each}`);
}

async function kept(page, file) {
  const picture = await page.screenshot({ fullPage: true, type: "jpeg", quality: 85 });
  writeFileSync(file, picture);
  return picture;
}
