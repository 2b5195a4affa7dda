// Somebody who has only what `certmail up --sandbox` prints: both set-ups from the console through the sandbox's consoles and
// back, the set-up link of a tenant's administrator, a first reminder, and the mail. Nothing is ordered behind their back.
import { readFile } from "node:fs/promises";
import { Window, expect, open } from "./browser.mjs";

const given = JSON.parse(process.env.JUDGE);
const { printed } = given;
const began = Date.now();

// The console, and a page of Google's that a link of its opens beside it.
async function beside(window, name) {
  const [page] = await Promise.all([window.page.context().waitForEvent("page"), window.follow(name, false)]);
  page.setDefaultTimeout(20_000);
  const other = new Window(page, window.width, window.where);
  other.stops = window.stops + 50;
  return other;
}

async function signIn(window) {
  await window.page.goto(printed.console);
  await window.sees("No mail leaves.");
  await window.page.getByLabel("Operator password").fill(printed.password);
  await window.press("Sign in");
  await window.page.getByRole("heading", { name: "Connections", exact: true }).waitFor();
}

async function newConnection(window, tenant, company, kind) {
  const { page } = window;
  await page.goto(`${printed.console}/new`);
  await page.getByLabel("Tenant").fill(tenant);
  await page.getByLabel("Company name").fill(company);
  await window.press("Continue");
  await window.follow(kind);
}

async function serviceAccount(window, project, mailbox) {
  const { page } = window;
  await page.getByLabel("Project ID").fill(project);
  await page.getByLabel("Mailbox to send from").fill(mailbox);
  await window.press("Make the certificate");
}

const works = (window) => window.page.locator("#state").getByText("Working").waitFor({ timeout: 60_000 });

// In a paste: Cloud Shell, and the link that it prints.
async function byPaste(window) {
  const { page } = window;
  await newConnection(window, "acme", "ACME Industries", "Use a service account");
  await serviceAccount(window, "acme-it", "access-reviews@acme.example");
  await page.locator(".copyable, .block").filter({ hasText: "gcloud" }).getByRole("button", { name: "Copy" }).first().click();
  const shell = await beside(window, "Open Cloud Shell");
  await shell.page.getByLabel("Paste the commands").fill(await page.evaluate(() => navigator.clipboard.readText()));
  await shell.press("Enter");
  await shell.sees("Done. Client ID:");
  await shell.look("cloud-shell");
  const [asked] = await Promise.all([page.context().waitForEvent("page"), shell.page.locator(".terminal a").click()]);
  const admin = new Window(asked, window.width, window.where);
  admin.stops = 70;
  await admin.press("Authorise");
  await admin.sees("The client is authorised.");
  await admin.look("authorised");
  await works(window);
  await window.look("works");
}

// Google may not accept the new key yet; whoever waits sees the link come by itself, or asks again.
async function linkAppears(window) {
  const link = window.page.getByRole("link", { name: "Authorise in the Admin console" });
  for (let tries = 0; tries < 6 && !(await link.isVisible()); tries += 1) {
    await window.check("Only check");
    await link.waitFor({ timeout: 5_000 }).catch(() => {});
  }
}

// By hand: each link of the page leads to the place that its words name.
async function byHand(window) {
  const { page } = window;
  await newConnection(window, "globex", "Globex", "Use a service account");
  await serviceAccount(window, "globex-it", "compliance@globex.example");
  await page.getByText("By hand, in the Google Cloud console").click();
  const made = await beside(window, "Create service account");
  await made.sees("There is no project “globex-it” here");
  await made.look("no-project");
  await made.follow("Create project");
  await made.press("Create");
  await made.press("Enable");
  await made.sees("API enabled");
  await made.follow("Go on to the service accounts");
  await made.follow("Create service account");
  await made.press("Done");
  await made.sees("The service account is created.");

  const [download] = await Promise.all([page.waitForEvent("download"), window.follow("Download the certificate")]);
  const keys = await beside(window, "Keys of the service account");
  await keys.page.getByText("Add key", { exact: true }).click();
  await keys.follow("Upload existing key");
  await keys.page.getByLabel("Or paste the key").fill("not a certificate");
  await keys.press("Upload");
  await keys.sees("Upload exactly one certificate in PEM form");
  await keys.look("key-refused");
  await keys.page.getByLabel("Choose a file").setInputFiles({ name: "certificate.pem", mimeType: "text/plain", buffer: await readFile(await download.path()) });
  await keys.press("Upload");
  await keys.sees("The public key is uploaded.");
  await keys.look("keys");
  await linkAppears(window);
  const admin = await beside(window, "Authorise in the Admin console");
  await admin.press("Authorise");
  await admin.sees("The client is authorised.");
  await works(window);
}

// The tenant's own administrator, from a link.
async function byLink(window, operator) {
  const { page } = window;
  await operator.page.goto(`${printed.console}/new`);
  await operator.page.getByLabel("Tenant").fill("initech");
  await operator.page.getByLabel("Company name").fill("Initech");
  await operator.press("Continue");
  await operator.press("Make a set-up link");
  const link = await operator.page.locator("code", { hasText: "/connect/" }).first().innerText();
  await page.goto(link);
  await window.sees("No mail leaves.");
  await window.press("Start");
  await window.press("Link an account");
  await window.press("Continue to Google");
  await window.look("sign-in-with-google");
  await page.locator('input[name=account][value="compliance@globex.example"]').check();
  await window.press("Allow");
  await window.press("Yes, send from this account");
  await window.press("Send the test mail");
  await window.sees("Connected");
}

async function firstReminder(window) {
  const body = JSON.stringify({ tenant: "acme", to: "anna@acme.example", campaign: "q4", pending: 3 });
  const headers = { Authorization: `Bearer ${printed.api_key}`, "Content-Type": "application/json" };
  const answer = await fetch(`${printed.api}/v1/reminders`, { method: "POST", headers, body });
  expect(answer.status === 202, `the printed key is good: ${answer.status}`);
  await window.page.goto(printed.mail);
  await window.page.getByText("anna@acme.example").first().waitFor({ timeout: 30_000 });
  await window.look("mail");
  await window.page.locator("a.subject").first().click();
  await window.look("letter");
  await window.page.goto(printed.sandbox);
  await window.look("start");
}

const browser = await open(given.chromium);
const windows = [];
try {
  for (const width of [1280, 390, 390, 1280]) windows.push(await Window.open(browser, width, given.screenshots));
  const [desk, phone, visitor, operator] = windows;
  await Promise.all([signIn(desk), signIn(phone), signIn(operator)]);
  await Promise.all([byPaste(desk), byHand(phone), byLink(visitor, operator)]);
  await Promise.all([firstReminder(desk), phone.page.goto(printed.sandbox).then(() => phone.look("start"))]);
  console.log(`looking around: three set-ups and a first reminder, from what is printed, ${((Date.now() - began) / 1000).toFixed(0)} s`);
} catch (error) {
  let number = 0;
  for (const context of browser.contexts()) {
    for (const page of context.pages()) await page.screenshot({ path: `${given.screenshots}/failed-${number++}.png`, fullPage: true });
  }
  throw error;
} finally {
  await browser.close();
}
