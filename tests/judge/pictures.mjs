// Two pictures for the README: a reminder as its reader sees it, and the console's page of a mailbox that works.
import { Window, expect, open } from "./browser.mjs";

const { printed, due, chromium, pictures } = JSON.parse(process.env.JUDGE);
const MAILBOX = "access-reviews@acme.example";

async function connect(window) {
  const { page } = window;
  await page.goto(printed.console);
  await page.getByLabel("Operator password").fill(printed.password);
  await window.press("Sign in");
  await page.goto(`${printed.console}/new`);
  await page.getByLabel("Tenant").fill("acme");
  await page.getByLabel("Company name").fill("ACME Industries");
  await window.press("Continue");
  await window.press("Link an account");
  await window.press("Continue to Google");
  await page.locator(`input[name=account][value="${MAILBOX}"]`).check();
  await window.press("Allow");
  await window.press("Yes, send from this account");
  await window.check("Check and send a test mail");
  await page.locator("#state").getByText("Working").waitFor({ timeout: 60_000 });
}

async function remind() {
  const reminder = {
    tenant: "acme", to: "anna@acme.example", name: "Anna Keller", campaign: "q4", campaign_name: "Q4 access certification",
    due_at: due, pending: 7, completed: 12, link: "https://access.acme.example/reviews/q4", time_zone: "Europe/Zurich",
  };
  const headers = { Authorization: `Bearer ${printed.api_key}`, "Content-Type": "application/json" };
  const answer = await fetch(`${printed.api}/v1/reminders`, { method: "POST", headers, body: JSON.stringify(reminder) });
  expect(answer.status === 202, `the reminder is taken in: ${answer.status} ${await answer.text()}`);
}

const browser = await open(chromium);
try {
  const console_ = await Window.open(browser, 840, pictures);
  const size = { width: 840, height: 1040 };
  await console_.page.setViewportSize(size);
  await connect(console_);
  await remind();

  const mail = await Window.open(browser, 840, pictures);
  await mail.page.setViewportSize(size);
  await mail.page.goto(printed.mail);
  await mail.page.getByText("anna@acme.example").first().waitFor({ timeout: 30_000 });
  await mail.page.locator("a.subject", { hasText: "Q4" }).first().click();
  await mail.page.waitForLoadState("networkidle");
  await mail.page.screenshot({ path: `${pictures}/mail.png` });

  await console_.page.reload();
  await console_.page.evaluate(() => scrollTo(0, 0));
  await console_.page.screenshot({ path: `${pictures}/console.png` });
} finally {
  await browser.close();
}
