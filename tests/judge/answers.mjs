// A compliance officer's questions: who was reminded, who was not, and why, in two clicks; live, by keyboard, without JavaScript.
import { expect } from "./browser.mjs";

export async function answers(window, google, town, tenant) {
  const { page } = window;
  const mailbox = `reviews@${tenant}.example`;
  const reminder = (name, more = {}) => ({ tenant, to: `${name}@${tenant}.example`, campaign: "q4", pending: 3, ...more });
  await google.fault({ path: "/messages/send", mailbox }, "reset_after");
  await town.send(reminder("lost"));
  await town.send(reminder("ann"), reminder("done", { pending: 0 }), reminder("later", { send_at: "2099-01-01T09:00:00Z" }));

  await page.goto(`${town.gateway}/console`);
  await window.follow("Deliveries");
  const campaign = page.locator(".campaigns li", { hasText: tenant });
  await campaign.getByText("1 Accepted").waitFor(); // the page renews itself until it is there
  await campaign.getByText("1 Uncertain").waitFor();
  await window.look("deliveries");
  await campaign.getByRole("link", { name: "1 Not sent" }).click();
  await window.sees("Nothing was left to decide when it was enqueued");
  const shown = await page.locator(".deliveries .name").allInnerTexts();
  expect(shown.join() === `done@${tenant}.example`, `two clicks show who was not reminded: ${shown}`);
  await window.sees("Why not all were accepted");
  await window.look("not-sent");

  await page.getByText("Look for something else").click();
  await page.getByRole("textbox", { name: "Recipient" }).fill(`ANN@${tenant}.example`);
  await page.getByLabel("State").selectOption("");
  await page.keyboard.press("Enter");
  await page.locator(".deliveries .name", { hasText: `ann@${tenant}.example` }).waitFor();
  expect(!page.url().includes("ann"), `no address stands in one of a page: ${page.url()}`);
  await page.locator(".deliveries .name").click();
  await page.locator("#story").getByText("Gmail accepted it").waitFor();
  await window.look("story");

  await window.follow("Attention");
  await page.getByRole("checkbox", { name: `lost@${tenant}.example` }).check();
  await page.getByRole("radio", { name: "They arrived" }).check();
  await window.look("attention-list");
  await window.press("Settle");
  await window.sees("1 settled.");

  await window.follow("Tenants");
  await page.locator(".row", { hasText: tenant }).getByRole("link").first().click();
  await page.getByText("Limits", { exact: true }).click();
  await page.getByLabel("Mails in 24 hours").fill("1900");
  await window.look("tenant");
  await window.press("Change the limits");
  await window.sees("The limits are changed");

  const plain = await page.context().browser().newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
  const unscripted = await plain.newPage();
  await unscripted.goto(`${town.gateway}/console/deliveries?tenant=${tenant}&state=waiting`);
  expect(await unscripted.locator(".deliveries .row").count() === 1, "without JavaScript lists are read, too");
  await plain.close();
}
