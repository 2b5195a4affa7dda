// A tenant's brand and texts: written with the mail beside it, corrected, published, overtaken, sent as a sample, and reset.
import { expect } from "./browser.mjs";

const REMINDER = "{{ campaign | default('Your access review') }}: {{ pending }} to decide";

export async function templates(window, google, town, tenant) {
  const { page } = window;
  await page.goto(`${town.gateway}/console`);
  await page.getByLabel("Operator password").fill(town.password);
  await window.press("Sign in");
  await window.follow("Templates");
  await window.look("tenants");
  await page.locator(".row", { hasText: tenant }).getByRole("link").first().click();
  await window.sees("all mails are in certmail’s own words and look");
  await window.look("nothing-published");

  await window.press("Write");
  await page.getByRole("heading", { name: "Reminder English" }).waitFor();
  await written(window, tenant);
  await published(window);
  await overtaken(window, town, tenant);
  await sampled(window, google, tenant);
  await brand(window);
  await lookedAt(window);
  await nowhereToGo(window);
  await tooOld(window);

  await page.goto(`${town.gateway}/console/tenants/${tenant}/templates`);
  await window.sees("Version 3");
  window.errors = window.errors.filter((each) => !/^(Blocked opening|403 )/.test(each)); // of what led nowhere, and was too old
  await window.look("published");
  await window.follow("See the differences");
  await window.look("differences");
  await page.goBack();
  await window.follow("Reset all …");
  await window.look("reset");
  await window.press("Reset all");
  await window.sees("The versions before are kept");
}

const mail = (window) => window.page.frameLocator("#frame");

// The frame has caught up with what is typed, and shows these words.
async function drawn(window, words) {
  await window.page.locator("#editor:not([data-behind])").waitFor();
  await mail(window).getByText(words).first().waitFor();
}

// The mail follows what is typed; what is wrong is said at its field, with what there is to choose from.
async function written(window, tenant) {
  const { page } = window;
  await drawn(window, `${tenant} is still waiting for you to decide`);
  await page.getByLabel("Subject", { exact: true }).fill(REMINDER);
  await page.getByText("Quarterly access review Q4 2026: 12 to decide").first().waitFor();
  const ask = page.getByLabel("Request", { exact: true });
  await ask.fill("Thank you for your time.\nPlease decide about {{ campain }}.");
  await page.getByText("there is no variable `campain`; did you mean `campaign`?").waitFor();
  expect(await ask.getAttribute("aria-invalid") === "true", "the field is marked");
  await window.look("a-fault");
  await window.press("Publish");
  await window.sees("Nothing was published: correct what is named first.");
  await page.getByLabel("Request", { exact: true }).fill("Thank you for your time.\nPlease decide in ");
  await page.getByRole("button", { name: "due_in", exact: true }).click();
  await drawn(window, "Please decide in in 3 days");
  await page.getByRole("button", { name: "Reset Request" }).click();
  await drawn(window, `${tenant} is still waiting for you to decide`);
  await page.getByLabel("Request", { exact: true }).fill("Thank you for your time.\nPlease decide {{ due_in }}.");
  await drawn(window, "Please decide in 3 days.");
  await window.look("written");
  await window.part("mail", ".look");
}

async function published(window) {
  await window.press("Publish");
  await window.sees("Published. Mails are written with it within a minute.");
  await drawn(window, "Please decide in 3 days.");
}

// Two editors: the slower one is told, keeps what was typed, and sees what the other has published.
async function overtaken(window, town, tenant) {
  const { page } = window;
  const other = await page.context().newPage();
  other.setDefaultTimeout(20_000);
  await other.goto(page.url());
  await other.getByLabel("Request", { exact: true }).fill("The other’s words.");
  await other.getByRole("button", { name: "Publish" }).click();
  await other.getByText("Published. Mails").waitFor();
  await other.close();
  await page.getByLabel("Request", { exact: true }).fill("Thank you for your time.\nPlease decide {{ due_in }}. Thank you.");
  await window.press("Publish");
  await window.sees("Somebody was faster.");
  await window.sees("The other’s words.");
  await drawn(window, "Thank you.");
  await window.look("overtaken");
  await window.press("Publish");
  await window.sees("Published. Mails are written with it within a minute.");
}

async function sampled(window, google, tenant) {
  const { page } = window;
  await page.getByLabel("To", { exact: true }).fill("nobody");
  await window.press("Send the sample");
  await window.sees("This is not an email address.");
  await page.getByLabel("Headline", { exact: true }).fill("Not published yet");
  await page.getByLabel("To", { exact: true }).fill(`me@${tenant}.example`);
  await window.press("Send the sample");
  await page.getByText("Gmail took it").first().waitFor();
  expect(await page.getByLabel("Headline", { exact: true }).inputValue() === "Not published yet", "what is typed stays");
  await window.look("sent");
  const arrived = (await google.messages(`reviews@${tenant}.example`)).filter((each) => each.to === `me@${tenant}.example`);
  expect(arrived.length === 1, `one sample has arrived: ${arrived.length}`);
  expect(/^Subject: \[Sample\] /m.test(Buffer.from(arrived[0].raw, "base64").toString()), "its subject says that it is one");
  await page.getByLabel("Headline", { exact: true }).fill("");
}

async function brand(window) {
  const { page } = window;
  await page.locator(".crumbs a").click();
  await window.follow("Edit the brand");
  await page.getByLabel("Name above the mail").fill("ACME Access");
  await page.getByLabel("Colour of button, label and bar").fill("#ffd400");
  await page.getByLabel("Address of the logo").fill("https://elsewhere.example/logo.png");
  await page.getByText("Must not be empty.").waitFor();
  await page.getByLabel("Words in the logo’s place").fill("ACME");
  await page.getByText("is not in CERTMAIL_LOGO_HOSTS").waitFor();
  await page.getByText("white on it could not be read").waitFor();
  await window.look("brand-fault");
  await page.getByLabel("Address of the logo").fill("");
  await page.getByLabel("Words in the logo’s place").fill("");
  await page.getByLabel("Lines below all else").fill("ACME Inc.\n1 Main Street, Springfield");
  await drawn(window, "1 Main Street, Springfield");
  for (const [name, word] of [["Dark", "dark"], ["Phone", "phone"]]) {
    await page.getByRole("radio", { name: name, exact: true }).check();
    await drawn(window, "1 Main Street, Springfield");
    await window.look(`brand-${word}`);
    await window.part(`mail-${word}`, ".look");
  }
  await page.getByRole("radio", { name: "Text part", exact: true }).check();
  await drawn(window, "ACME Inc.");
  await window.look("brand-text-part");
}

// What is in the frame may run nothing and lead nowhere, whatever somebody writes.
async function nowhereToGo(window) {
  const { page } = window;
  const frame = page.locator("#frame");
  expect(await frame.getAttribute("sandbox") === "", "the frame may do nothing");
  const before = page.url();
  await page.getByLabel("Name above the mail").fill("<img src=x onerror=\"top.location='/'\"><script>top.location='/'</script>");
  await drawn(window, "<img src=x");
  await mail(window).getByRole("link").first().click();
  await drawn(window, "<img src=x");
  expect(page.url() === before && page.context().pages().length === 1, "nothing has led anywhere");
  await page.getByLabel("Name above the mail").fill("ACME Access");
  await drawn(window, "ACME Access");
}

// Whoever was signed out meanwhile is told, and what was typed stays.
async function tooOld(window) {
  const { page } = window;
  await page.evaluate(() => { document.querySelector("#editor [name=csrf]").value = "old"; });
  await page.getByLabel("Sender’s name").fill("ACME reviews");
  await page.getByText("The preview no longer follows what is typed").waitFor();
  await window.part("too-old", ".look");
}

// Other reviewers, from right to left too.
async function lookedAt(window) {
  const { page } = window;
  await page.getByRole("radio", { name: "Page", exact: true }).check();
  await page.getByLabel("Reviewer’s language").selectOption("ar");
  await page.getByLabel("Of the reviewer").selectOption("nasty");
  await page.getByRole("radio", { name: "Light", exact: true }).check();
  await mail(window).locator("html[dir=rtl] h1").waitFor();
  await page.locator("#editor:not([data-behind])").waitFor();
  await window.look("arabic");
  await window.part("mail-arabic", ".look");
}
