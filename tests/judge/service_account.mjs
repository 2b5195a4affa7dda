// An operator sets up a service account of the customer's: every step of the checklist fails once, and then passes.
import { readFile } from "node:fs/promises";
import { expect } from "./browser.mjs";

const SEND = "https://www.googleapis.com/auth/gmail.send";

export async function serviceAccount(window, google, town, tenant) {
  const { page } = window;
  const unfold = async (summary) => {
    const details = page.locator("details", { has: page.locator("summary", { hasText: summary }) });
    if (!(await details.evaluate((each) => each.open))) await details.locator("summary").click();
  };
  const copied = async (id) => {
    await page.locator(".copyable", { has: page.locator(`#${id}`) }).getByRole("button", { name: "Copy" }).click();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const account = `certmail@${tenant}-it.iam.gserviceaccount.com`, mailbox = `reviews@${tenant}.example`;
  await google.mailbox(mailbox);

  await page.goto(`${town.gateway}/console`);
  await window.look("sign-in");
  await page.getByLabel("Operator password").fill("not the password");
  await window.press("Sign in");
  await window.sees("That is not the password.");
  await window.look("sign-in-refused");
  await page.getByLabel("Operator password").fill(town.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Connections", exact: true }).waitFor();
  await window.look("connections-before");

  await page.getByRole("link", { name: "Connect a mailbox" }).first().click();
  await page.getByLabel("Tenant").fill("Not A Name!");
  await window.press("Continue");
  await window.sees("This cannot be used as a name.");
  expect(await page.getByLabel("Tenant").getAttribute("aria-invalid") === "true", "the field that is wrong is marked");
  await window.look("new-refused");
  await page.getByLabel("Tenant").fill(tenant);
  await page.getByLabel("Company name").fill("ACME Industries");
  await window.press("Continue");
  await window.sees("How do you want to connect the mailbox?");
  await window.look("kind");
  await window.follow("Use a service account");
  expect((await page.getByLabel("Project ID").inputValue()).startsWith(`certmail-${tenant}`), "a new project is suggested");
  await window.look("project");
  await unfold("There is a service account already?");
  await page.getByLabel("Email address of the service account").fill("maria@initech.example");
  await page.getByLabel("Mailbox to send from").fill(mailbox);
  await window.press("Make the certificate");
  await window.sees("This is not the address of a service account.");
  await window.look("no-service-account-address");
  await page.getByLabel("Email address of the service account").fill(account);
  await page.getByLabel("Mailbox to send from").fill(mailbox);
  await page.getByLabel("Let certmail see the headers of sent mail, too").check();
  await window.look("service-account");
  await window.press("Make the certificate");
  await window.sees("Prepare Google Cloud");
  await window.look("set-up");

  const commands = await copied("gcloud");
  expect(commands.includes(`account=${account}`) && commands.includes("-----BEGIN CERTIFICATE-----"), "the commands to paste are whole");
  await window.press("Make a link for the super administrator");
  await window.look("link-for-the-super-administrator");
  const handedOn = await page.locator("#delegation-link").textContent();
  await window.follow("The connection");

  await window.press("Make a set-up link");
  await window.sees("A link for the tenant’s administrator");
  await window.look("invitation");
  await window.follow("The connection");
  await window.check("Only check");
  expect(await page.evaluate(() => scrollY) > 200, "the first check leaves somebody where they are");
  expect((await window.step("Certificate upload", "bad")).includes("no service account"), "it says that there is no such account");
  await window.look("no-service-account");
  const { client_id } = await google.serviceAccount(account);
  await window.check("Only check");
  await window.step("Certificate upload", "wait");
  await window.look("not-uploaded");

  await unfold("By hand, in the Google Cloud console");
  await window.look("by-hand");
  const [download] = await Promise.all([page.waitForEvent("download"), window.follow("Download the certificate")]);
  const pem = await readFile(await download.path(), "utf8");
  expect(pem.startsWith("-----BEGIN CERTIFICATE-----"), "the download is a certificate");
  await google.upload(account, pem, 1);
  await window.check("Only check");
  await window.step("Certificate upload", "good");
  await window.step("Key at Google", "wait");
  await google.wrongClock(account);
  await window.check("Only check");
  await window.step("Clock", "bad");
  await window.check("Only check");
  await window.step("Clock", "good");
  await window.step("Key at Google", "good");
  await window.step("Permission to send", "wait");
  const filledIn = new URL(await page.getByRole("link", { name: "Authorise in the Admin console" }).getAttribute("href"));
  expect(filledIn.searchParams.get("clientIdToAdd") === client_id, "the Admin console's form is filled in");
  await unfold("Or enter it by hand");
  expect((await copied("client-id")) === client_id, "the client ID to paste is Google's");
  await window.look("not-delegated");
  const scopes = (await copied("scopes")).split(",");
  expect(filledIn.searchParams.get("clientScopeToAdd") === scopes.join(","), "with the same scopes");
  expect(scopes[0] === SEND, `the scope to paste is ${scopes[0]}`);
  await superAdministrator(window, handedOn, "missing");
  await google.delegate(account, SEND);
  await window.check("Only check");
  await window.step("Permission to send", "good");
  await window.step("Permission to look for sent mail", "wait");
  await google.delegate(account, ...scopes);
  await google.refuse(mailbox, 403, "accessNotConfigured", "Gmail API has not been used in project 1 before or it is disabled.");
  await window.check("Check and send a test mail");
  await window.step("Permission to look for sent mail", "good");
  await window.step("Test mail", "wait");
  await window.look("gmail-api-off");
  await window.check("Check and send a test mail");
  await window.step("Test mail", "good");
  await page.locator("#state").getByText("Working").waitFor();
  expect((await google.messages(mailbox)).length === 1, "one test mail arrived");
  await window.look("working");

  await superAdministrator(window, handedOn, "works");

  await town.hand("expire", `${tenant}/default`);
  await window.check("Only check");
  await window.step("Certificate validity", "bad");
  await window.look("certificate-ended");
  await window.press("Make the next certificate");
  await window.sees("The next certificate is ready");
  await window.look("rotating");
  const [next] = await Promise.all([page.waitForEvent("download"), window.follow("Download the next one")]);
  await google.upload(account, await readFile(await next.path(), "utf8"));
  await window.check("Only check");
  await window.step("Certificate validity", "good");
  await page.locator("#state").getByText("Working").waitFor();
}

// Somebody else's browser: all that they see is what is asked of them, and whether it works.
async function superAdministrator(window, url, how) {
  const page = await window.page.context().browser().newContext({ viewport: window.page.viewportSize() }).then((context) => context.newPage());
  const theirs = Object.assign(Object.create(Object.getPrototypeOf(window)), window, { page });
  await page.goto(url);
  if (how === "missing") {
    await page.getByRole("button", { name: "Check" }).click();
    await page.locator("#news").getByText("Google does not let the service account send yet.").waitFor();
  } else {
    await page.getByText("There is nothing left for you to do.").waitFor();
  }
  await theirs.look(`super-administrator-${how}`);
  window.stops = theirs.stops;
  await page.context().close();
}
