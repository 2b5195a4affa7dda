// From a file of reviewers to a campaign that runs, as a new user does it; and what an operator does with it then.
import { expect } from "./browser.mjs";

const file = (name, lines) => ({ name, mimeType: "text/csv", buffer: Buffer.from(lines.join("\n")) });

export async function campaigns(window, town, tenant) {
  const { page } = window;
  const at = (name) => `${name}@${tenant}.example`;
  const good = ["id,to,name,pending", `r1,${at("ann")},Ann Example,3`, `r2,${at("ben")},Ben Example,2`, `r3,${at("eve")},Eve Example,0`];
  const due = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const began = Date.now();

  await page.goto(`${town.gateway}/console`);
  await window.follow("Campaigns");
  await window.look("campaigns-none");
  await page.getByRole("link", { name: "Run" }).first().click();
  await window.look("campaign-form");
  await page.locator("#reviewers").setInputFiles(file("reviewers.csv", [...good, "r4,nobody,,1", `r1,${at("twin")},,1`]));
  await page.locator("#tenant").fill(tenant);
  await page.locator("#id").fill("2026-q4");
  await page.locator("#name").fill("Quarterly access review");
  await page.locator("#time_zone").fill("Europe/Berln");
  await page.locator("#due").fill(`${due}T17:00`);
  await window.press("See what comes");
  await window.sees("This is not a time zone");
  await window.look("campaign-wrong-field");
  await page.locator("#time_zone").fill("Europe/Berlin");
  await window.press("See what comes");
  await window.sees("2 rows are wrong");
  await window.look("campaign-wrong-rows");
  await window.press("Run it");
  await window.sees("Tick that it is run without");
  await window.press("Change something");
  await window.sees("reviewers.csv is kept");
  await page.locator("#reviewers").setInputFiles(file("reviewers.csv", good));
  await window.press("See what comes");
  await window.sees("The first mails");
  await window.look("campaign-preview");
  await window.press("Run it");
  await window.sees("The campaign runs.");
  expect(Date.now() - began < 300_000, "from a file to a campaign that runs takes less than five minutes");
  await window.look("campaign");

  await page.getByLabel("Ann Example").check();
  await window.press("Remind those ticked now");
  await window.sees("1 reviewer gets a mail now.");
  await window.press("Remind all who are not done");
  await window.sees("Tick that all of them");
  await window.look("campaign-not-sure");
  await page.getByLabel("Yes, 2 reviewers get a mail").check();
  await window.press("Remind all who are not done");
  await window.sees("2 reviewers get a mail now.");
  await window.press("Pause");
  await page.locator("#now").getByText("Paused: nothing leaves").waitFor();
  await window.look("campaign-paused");
  await window.press("Resume");
  await window.sees("Resumed:");
  await window.follow("Done");
  await page.locator("#reviewers").getByText("Eve Example").waitFor();
  expect((await page.locator("#reviewers .row").count()) === 1, "of three reviewers one is done");

  const plain = await page.context().browser().newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
  const unscripted = await plain.newPage();
  await unscripted.goto(`${town.gateway}/console/campaigns/${tenant}/2026-q4`);
  expect((await unscripted.locator("#coming table").innerText()).includes("due"), "without JavaScript its days are read, too");
  await plain.close();

  await window.follow("Its deliveries");
  await page.goto(`${town.gateway}/console/campaigns?tenant=${tenant}`);
  await window.look("campaigns");
  await window.follow("Quarterly access review");
  await window.follow("Stop …");
  await page.getByLabel("Type").fill("something else");
  await window.press("Stop for good");
  await window.sees("That is not its id");
  await window.look("campaign-stop");
  await page.getByLabel("Type").fill("2026-q4");
  await window.press("Stop for good");
  await window.sees("Stopped for good: nothing leaves any more");
  await window.look("campaign-stopped");
}
