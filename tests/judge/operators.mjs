// Operators with accounts, made in the console: what a viewer sees and is refused, another password, and signing in with Google.
import { expect } from "./browser.mjs";

export async function operators(window, google, town, tenant) {
  const { page } = window;
  const name = `vera${window.width}`;
  await page.goto(`${town.gateway}/console`);
  await page.getByLabel("Operator password").fill(town.password);
  await window.press("Sign in");
  await window.follow("Operators");
  await window.look("operators");
  await page.getByLabel("Name", { exact: true }).fill("Vera Smith");
  await page.getByRole("radio", { name: "Viewer" }).check();
  await window.press("Add");
  await window.sees("A name has letters, digits");
  await window.look("operators-no-name");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await window.press("Add");
  await window.sees("It is shown only once.");
  await window.look("operators-password");
  const password = await page.locator("#password").innerText();
  await window.press("Sign out");
  await page.goto(`${town.gateway}/console/sign-in`);
  await window.look("operators-sign-in");

  await page.getByLabel("Name", { exact: false }).fill(name);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await window.press("Sign in");
  await window.sees("Name and password do not fit together.");
  await window.look("operators-wrong");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await window.press("Sign in");

  await window.sees(name);
  expect(await page.getByRole("link", { name: "Connect a mailbox" }).count() === 0, "a viewer is offered to connect a mailbox");
  await window.look("viewer-connections");
  await page.getByRole("searchbox").fill(tenant);
  await page.keyboard.press("Enter");
  await page.locator(".row").getByRole("link").first().click();
  await page.locator("#state").waitFor();
  const buttons = await page.locator("main").getByRole("button").allInnerTexts();
  expect(buttons.every((text) => !text || text.includes("Copy")), `a viewer is offered: ${buttons.join(", ")}`);
  await window.look("viewer-connection");
  await page.goto(`${town.gateway}/console/new`);
  await window.sees("Operators and admins may do this");
  await window.look("viewer-refused");

  await window.follow(name);
  await window.look("account");
  await page.getByLabel("Present password").fill("not the password");
  await page.getByLabel("New password").fill("a password of her own");
  await window.press("Change it");
  await window.sees("That is not your present password.");
  await window.look("account-wrong");
  await page.getByLabel("Present password").fill(password);
  await page.getByLabel("New password").fill("a password of her own");
  await window.press("Change it");
  await window.sees("Your password is changed");

  await town.certmail("operators", "disable", name);
  await page.goto(`${town.gateway}/console`);
  await page.getByLabel("Name", { exact: false }).waitFor();
  await town.certmail("operators", "remove", name);

  const address = `gina${window.width}@judge.example`;
  await google.mailbox(address);
  await page.goto(`${town.gateway}/console/sign-in`);
  await window.look("google-sign-in");
  await window.press("Sign in with Google");
  await page.getByText(address).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await window.sees(address);
  await window.look("google-signed-in");
  await window.press("Sign out");
}
