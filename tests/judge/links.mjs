// Opens the link of every mail as a person would, by its button. Started by `python -m judge.links`, which made the mails.
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer } from "node:net";
import { readFileSync } from "node:fs";
import { open } from "./browser.mjs";

const given = JSON.parse(readFileSync(0, "utf8"));
const SIDE_BY_SIDE = 4;

// One port for both: TLS begins with the byte 22.
const answer = (request, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.setHeader("Connection", "close");
  response.end(JSON.stringify({ host: request.headers.host, url: request.url }));
};
const plain = createHttp(answer);
const secure = createHttps({ key: given.pem, cert: given.pem }, answer);
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (first) => {
    socket.pause();
    socket.unshift(first);
    (first[0] === 22 ? secure : plain).emit("connection", socket);
    process.nextTick(() => socket.resume());
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await open(given.chromium, [
  `--host-resolver-rules=MAP * 127.0.0.1:${server.address().port}`, "--ignore-certificate-errors",
  // Not a new process for each host: what is judged is where a link leads.
  "--disable-site-isolation-trials", "--renderer-process-limit=1", "--disable-features=HttpsUpgrades,BackForwardCache,IsolateOrigins",
]);
const context = await browser.newContext({ ignoreHTTPSErrors: true });
const opened = [], wrong = [], elsewhere = [];

async function follow(page, mail) {
  // Where only what is behind # differs from the page before, a browser asks nobody.
  if (page.url().includes(mail.meant)) await page.goto("about:blank");
  await page.setContent(mail.html);
  const links = await page.evaluate(() => [...document.querySelectorAll("a")].map((a) => a.href));
  if (links.length < 1 || new Set(links).size !== 1) return `the mail leads to ${JSON.stringify(links)}`;
  const [response] = await Promise.all([
    page.waitForNavigation({ waitUntil: "domcontentloaded", timeout: 20_000 }),
    page.locator("a").first().evaluate((a) => a.click()),
  ]);
  const asked = JSON.parse(await response.text());
  const shown = new URL(page.url());
  if (asked.host !== mail.meant) return `the server was asked for ${asked.host}`;
  if (shown.host !== mail.meant) return `the browser shows ${shown.host}`;
  if (links[0].split("#")[0] !== page.url().split("#")[0]) return `the page is ${page.url()}, the link ${links[0]}`;
  // What a browser would have made of the text as it was given: the same, or nothing, never another host.
  const itself = await page.evaluate((text) => { try { return new URL(text).host; } catch { return null; } }, mail.link);
  return itself === null || itself === mail.meant ? null : `typed in, it opens ${itself}`;
}

const queue = [...given.mails];
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
  const page = await context.newPage();
  for (let mail = queue.shift(); mail !== undefined; mail = queue.shift()) {
    const why = await follow(page, mail).catch((error) => String(error).split("\n")[0]);
    if (why === null) opened.push(mail.link); else wrong.push(`${mail.kind} ${JSON.stringify(mail.link)}: ${mail.meant} is meant, ${why}`);
  }
}));
const page = await context.newPage();
for (const { link } of given.refused) {
  const host = await page.evaluate((text) => { try { return new URL(text).host; } catch { return null; } }, link);
  if (host) elsewhere.push(`${link} → ${host}`);
}
await browser.close();
server.close();
process.stdout.write(JSON.stringify({ opened, wrong, elsewhere }), () => process.exit(0));
