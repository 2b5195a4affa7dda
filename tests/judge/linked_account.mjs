// A tenant's administrator, sent here by an application: links an account, wrongly at first, and is sent back.
import { Window, expect } from "./browser.mjs";

const BACK = "https://app.example.com/settings/mail";

export async function linkedAccount(browser, window, google, town, tenant) {
  const { page } = window;
  const account = `reviews@${tenant}.example`;
  await google.mailbox(account);
  await page.route(`${BACK}**`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>App</title>Back in the application" }));
  const url = await town.setupLink(tenant, BACK);

  await page.goto(url);
  await window.sees("Connect a mailbox of Globex");
  await window.look("welcome");
  await window.press("Start");
  await window.sees("How do you want to connect the mailbox?");
  await window.look("welcome-kind");
  await window.press("Link an account");
  await window.press("Choose another way to connect");
  await window.sees("How do you want to connect the mailbox?");
  await window.press("Link an account");
  await window.look("to-be-linked");

  await consent(window, account, { decision: "Cancel" });
  await window.sees("The permission was not given.");
  await window.look("consent-denied");
  await consent(window, account, { without: "gmail.send" });
  await window.sees("The box for sending email on your behalf was not ticked");
  await window.look("scope-missing");
  await consent(window, account, { answer: "No, choose another account" });
  await window.sees("That account was not linked");
  await window.look("declined");
  await window.follow("Not now");
  await consent(window, account, { look: "whether" });
  await window.sees("One thing is left: the test mail");
  await window.look("linked");

  await google.fault({ path: "/v1/userinfo", mailbox: account }, "503");
  await window.check("Only check");
  await window.step("Permission to send", "good");
  await window.step("Linked account", "bad");
  await google.refuse(account, 400, "failedPrecondition", "Mail service not enabled");
  await window.check("Check and send a test mail");
  await window.step("Linked account", "good");
  await window.step("Clock", "good");
  await window.step("Test mail", "bad");
  await window.look("mailbox-without-gmail");
  await window.check("Check and send a test mail");
  await window.step("Test mail", "good");
  await window.sees("Connected");
  await window.look("connected");
  await google.revoke(account);
  await window.check("Only check");
  await window.step("Permission to send", "bad");
  await window.look("grant-revoked");
  await consent(window, account, {}, "Link again");
  await window.sees("Connected");
  await window.check("Only check");
  await window.step("Permission to send", "good");

  const other = await Window.open(browser, window.width, window.where);
  await other.page.goto(url);
  await other.sees("This set-up link has ended");
  await other.look("link-ended");
  await other.close();

  await window.follow("Return to the application");
  await window.sees("Back in the application");
  const result = new URL(page.url()).searchParams;
  expect(result.get("status") === "active" && result.get("state") === "xyz" && result.get("tenant") === tenant, `the application gets the result: ${result}`);
}

async function consent(window, account, { decision = "Allow", without, answer = "Yes, send from this account", look }, button) {
  const { page } = window;
  const again = await page.getByRole("button", { name: "Link again" }).count();
  await window.press(button ?? (again ? "Link again" : "Continue to Google"));
  await page.locator(`input[name=account][value="${account}"]`).check();
  if (without) await page.locator(`input[name=scope][value$="${without}"]`).uncheck();
  await window.press(decision);
  // An account that is new to the connection is asked about; one that it has is not.
  await page.waitForURL((url) => url.pathname.startsWith("/connect") || url.pathname.startsWith("/oauth/google/account"));
  if (!new URL(page.url()).pathname.startsWith("/oauth/google/account")) return;
  await window.sees("Send the reminders of Globex from this account?");
  if (look) await window.look(look);
  await window.press(answer);
  if (answer.startsWith("Yes")) await page.waitForURL((url) => url.pathname.startsWith("/connect"));
}
