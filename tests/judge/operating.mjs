// An operator's day: what needs attention first, suspend, resume, and remove for good.
import { expect } from "./browser.mjs";

export async function operating(window, google, town, tenant, broken) {
  const { page } = window;
  await google.revoke(`reviews@${broken}.example`);
  await page.goto(`${town.gateway}/console`);
  await page.locator(".row", { hasText: `reviews@${broken}.example` }).getByRole("link", { name: "Globex" }).first().click();
  await window.check("Only check");
  await window.sees("goes on until Google refuses it again");
  await page.waitForTimeout(3500);
  await window.check("Only check");
  await page.locator("#state").getByText("Needs attention").waitFor();
  await window.look("attention");
  await page.getByRole("link", { name: "Connections" }).first().click();
  const first = await page.locator(".row").first().innerText();
  expect(first.includes("Needs attention"), `what needs attention is first: ${first}`);
  await window.look("connections");

  await page.getByRole("searchbox").fill(`${tenant} nothing-like-it`);
  await window.press("Find");
  await window.sees("Nothing found");
  await window.follow("Show all");
  await page.getByRole("searchbox").fill(`reviews@${tenant}`);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "ACME Industries" }).first().click();
  await window.press("Suspend");
  await window.sees("Suspended: its reminders wait");
  await window.look("suspended");
  await window.press("Resume");
  await page.locator("#state").getByText("Working").waitFor();

  await window.follow("Remove …");
  await page.getByLabel("Type").fill("something else");
  await window.press("Remove for good");
  await window.sees("That is not its name");
  await window.look("removal");
  await page.getByLabel("Type").fill(`${tenant}/default`);
  await window.press("Remove for good");
  await window.sees("is removed.");
  await window.look("removed");
  await window.press("Sign out");
  await page.getByLabel("Operator password").waitFor();
}
