// A webhook's life in the console: added, tried out, told, stopped, changed, disabled, mended and removed; its receiver is a real one.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { expect } from "./browser.mjs";

class Receiver {
  // Verifies with the standard's own library, and answers as it is told to.
  constructor() {
    this.status = 204;
    this.types = [];
    this.server = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      try {
        const { type } = new Webhook(this.secret).verify(body, request.headers);
        this.types.push(type);
        response.writeHead(this.status).end(this.status === 204 ? undefined : "Nobody reads this any more.");
      } catch (error) {
        response.writeHead(401).end(String(error));
      }
    });
  }

  async listen() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${this.server.address().port}/in`;
  }
}

export async function webhooks(window, town, tenant) {
  const { page } = window;
  const receiver = new Receiver();
  await receiver.listen();
  const remind = (name) => town.send({ tenant, to: `${name}@${tenant}.example`, campaign: "hooks", pending: 1 });
  const message = (state) => page.locator("#messages li", { hasText: `reminder.accepted ${state}` }); // the page renews itself until it is there
  try {
    await page.goto(`${town.gateway}/console`);
    await window.follow("Webhooks");
    await window.look("webhooks-none");
    await window.follow("Add a webhook");
    await page.getByLabel("Address").fill("https://169.254.169.254/latest");
    await page.getByRole("textbox", { name: "Name" }).fill(`The portal of ${tenant}`);
    await page.getByRole("textbox", { name: "Tenants" }).fill(tenant);
    await window.press("Add it");
    await window.sees("No webhook can be sent there");
    await window.look("webhook-refused");
    await page.getByLabel("Address").fill(receiver.url);
    await window.press("Add it");
    receiver.secret = await page.locator("#secret").innerText();
    await window.look("webhook-secret");
    await window.press("Send a trial");
    await window.sees("The trial was taken");
    await window.look("webhook-tried");

    await remind("first");
    await message("Delivered").waitFor();
    expect(receiver.types.join() === "webhook.test,reminder.accepted", `it was told: ${receiver.types}`);
    await window.press("Pause");
    await window.sees("Paused by a person");
    await remind("second");
    await message("Waiting").waitFor();
    await window.look("webhook-paused");

    await window.follow("Change it");
    await page.getByLabel("reminder.accepted").check();
    await page.getByLabel("reminder.failed").check();
    await window.look("webhook-change");
    await window.press("Change it");
    await window.sees("It is changed.");

    receiver.status = 410;
    await window.press("Resume");
    await page.locator("#state").getByText("Disabled").waitFor();
    await page.locator("#now").getByRole("button", { name: "Resume" }).waitFor();
    await window.look("webhook-disabled");
    await window.follow("Attention");
    await window.sees("Webhooks that take nothing");
    await window.look("webhook-attention");
    await window.follow("Webhooks");
    await window.look("webhooks");
    await page.locator(".row", { hasText: `The portal of ${tenant}` }).getByRole("link").first().click();

    receiver.status = 204;
    await window.press("Make another secret");
    const before = receiver.secret;
    receiver.secret = await page.locator("#secret").innerText();
    expect(receiver.secret !== before, "another secret is another");
    await window.look("webhook-another-secret");
    await window.follow("To the webhook");
    await window.press("Resume");
    await message("Delivered").nth(1).waitFor();
    await message("Delivered").first().getByRole("button", { name: "Send it again" }).click();
    await window.sees("1 message is sent again.");
    await page.getByLabel("All that happened since").fill("2020-01-01T00:00");
    await window.press("All since then");
    await window.sees("are sent again.");

    const plain = await page.context().browser().newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const unscripted = await plain.newPage();
    await unscripted.goto(page.url());
    expect((await unscripted.locator("#messages").innerText()).includes("reminder.accepted"), "without JavaScript its page is read, too");
    await plain.close();

    await window.follow("Remove …");
    await page.getByLabel("Type").fill("something else");
    await window.press("Remove for good");
    await window.sees("That is not its host");
    await window.look("webhook-removal");
    await page.getByLabel("Type").fill(new URL(receiver.url).host);
    await window.press("Remove for good");
    await window.sees("The webhook is removed.");
  } finally {
    receiver.server.close();
    receiver.server.closeAllConnections();
  }
}
