// Each sample read by two other readers of mail, drawn by Chromium, and put on one sheet for each language.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";
import { open } from "./browser.mjs";

const { chromium, sheets, mails } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WAYS = [
  { name: "360 light", width: 360, colorScheme: "light" },
  { name: "360 dark", width: 360, colorScheme: "dark" },
  { name: "600 light", width: 600, colorScheme: "light" },
  { name: "360 cut", width: 360, colorScheme: "light", cut: true },
];
// What a mail has no part in: its frame is the mail program's.
const NOT_A_MAILS = ["region", "landmark-one-main", "page-has-heading-one"];
const faults = [];

function same(mail, reader, what, found, wanted) {
  const [one, other] = [found, wanted].map((each) => JSON.stringify(each));
  if (one !== other) faults.push(`${mail.locale} ${mail.kind} ${mail.sample}: ${reader} reads ${what} as ${one}, not ${other}`.slice(0, 600));
}

// Python puts a blank before some brackets of a name.
const unspaced = (found, what) => (["from", "to", "replyTo"].includes(what) ? JSON.parse(JSON.stringify(found).replaceAll(" ", "")) : found);
const lines = (text) => (text ?? "").replaceAll("\r\n", "\n").trimEnd();

const files = (found) => found.map((each) => [each.filename, Buffer.from(each.content).toString("utf8").replaceAll("\r\n", "\n")]);

async function read(mail) {
  const raw = Buffer.from(mail.raw, "base64");
  const one = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  const people = (header) => (header?.value ?? []).map((each) => [each.name, each.address]);
  const other = await PostalMime.parse(raw);
  const persons = (list) => [list ?? []].flat().map((each) => [each.name, each.address]);

  for (const [reader, found] of [
    ["mailparser", { subject: one.subject, from: people(one.from), to: people(one.to), replyTo: people(one.replyTo), id: one.messageId,
      text: one.text, html: one.html, files: files(one.attachments), others: [one.cc, one.bcc] }],
    ["postal-mime", { subject: other.subject, from: persons(other.from), to: persons(other.to), replyTo: persons(other.replyTo),
      id: other.messageId, text: other.text, html: other.html, files: files(other.attachments), others: [other.cc, other.bcc] }],
  ]) {
    for (const what of ["subject", "from", "to", "replyTo", "id"]) same(mail, reader, what, unspaced(found[what], what), unspaced(mail[what], what));
    for (const what of ["text", "html"]) same(mail, reader, what, lines(found[what]), lines(mail[what]));
    same(mail, reader, "attachments", found.files, mail.files);
    same(mail, reader, "copies", found.others.map((each) => each ?? 0), [0, 0]);
  }
}

// Gmail drops a style sheet that it does not like, Word knows no rounded corners and no greatest width.
const cut = (html) => html.replace(/<style>.*?<\/style>/gs, "").replace(/border-radius:[^;"]*;?/g, "").replace(/max-width:[^;"]*;?/g, "");

async function draw(page, mail, way) {
  await page.setViewportSize({ width: way.width, height: 400 });
  await page.setContent(way.cut ? cut(mail.html) : mail.html);
  const { wide, outside } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    outside: [...document.querySelectorAll("td, p, h1, a, span")].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) && getComputedStyle(each).display !== "none";
    }).map((each) => each.className || each.tagName).slice(0, 3),
  }));
  if (wide > 0 || outside.length) faults.push(`${mail.locale} ${mail.kind} ${mail.sample}, ${way.name}: ${wide} px too wide (${outside})`);
  if (mail.sample === "rich" && !way.cut && way.width === 360) {
    await page.evaluate(axe);
    const found = await page.evaluate((off) => axe.run(document, { rules: Object.fromEntries(off.map((each) => [each, { enabled: false }])) }), NOT_A_MAILS);
    for (const each of found.violations) faults.push(`${mail.locale} ${mail.kind}, ${way.name}: axe ${each.id}: ${each.nodes[0].html}`.slice(0, 400));
  }
  return page.screenshot({ fullPage: true, type: "jpeg", quality: 60 });
}

const browser = await open(chromium);
for (const locale of new Set(mails.map((mail) => mail.locale))) {
  const rows = [];
  const contexts = {};
  for (const scheme of ["light", "dark"]) contexts[scheme] = await (await browser.newContext({ colorScheme: scheme })).newPage();

  for (const mail of mails.filter((each) => each.locale === locale)) {
    await read(mail);
    const ways = mail.sample === "rich" ? WAYS : WAYS.filter((way) => way.name === "360 light");
    for (const way of ways) {
      const picture = await draw(contexts[way.colorScheme], mail, way);
      rows.push(`<figure><figcaption>${mail.kind} ${mail.sample}, ${way.name}</figcaption><img src="data:image/jpeg;base64,${picture.toString("base64")}"></figure>`);
    }
  }

  const sheet = await browser.newPage({ viewport: { width: 3000, height: 800 } });
  await sheet.setContent(`<style>body{display:flex;flex-wrap:wrap;gap:12px;align-items:start;font:14px sans-serif;background:#888}
    figure{margin:0}img{display:block;max-height:1700px}</style>${rows.join("")}`);
  await sheet.waitForFunction(() => [...document.images].every((each) => each.complete));
  await sheet.screenshot({ path: `${sheets}/${locale}.png`, fullPage: true });
  await sheet.close();
  for (const page of Object.values(contexts)) await page.context().close();
  process.stdout.write(`${sheets}/${locale}.png\n`);
}
await browser.close();

for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(`${mails.length} mails; ${faults.length} faults.\n`);
process.exit(faults.length ? 1 : 0);
