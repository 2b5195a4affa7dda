// The whole journey, at the width of a phone and of a desk. Started by `python -m judge`, which runs everything else.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { answers } from "./answers.mjs";
import { Window, open } from "./browser.mjs";
import { campaigns } from "./campaigns.mjs";
import { Google } from "./google.mjs";
import { framed } from "./framed.mjs";
import { keyboard } from "./keyboard.mjs";
import { linkedAccount } from "./linked_account.mjs";
import { operating } from "./operating.mjs";
import { operators } from "./operators.mjs";
import { serviceAccount } from "./service_account.mjs";
import { templates } from "./templates.mjs";
import { webhooks } from "./webhooks.mjs";

const given = JSON.parse(process.env.JUDGE);
// What is typed beside the browsers; both journeys go on meanwhile.
const run = async (command, input = "") => {
  const asked = promisify(execFile)(given.python, ["-m", ...command], { env: process.env, encoding: "utf8" });
  asked.child.stdin.end(input);
  return (await asked).stdout;
};
const town = {
  gateway: given.gateway,
  password: given.password,
  hand: (...command) => run(["judge.hand", ...command]),
  certmail: async (...command) => JSON.parse(await run(["certmail_worker", ...command, "--json"])),
  send: (...reminders) => run(["certmail_worker", "send", "-"], reminders.map((each) => JSON.stringify(each)).join("\n")),
  setupLink: async (tenant, back) => {
    await run(["certmail_worker", "tenants", "add", tenant, "--name", "Globex"]);
    return (await town.certmail("connections", "setup-link", tenant, "--return-url", back, "--state", "xyz")).url;
  },
};

// One width's windows, in a browser of their own: two people do not share a clipboard.
class Journey {
  static async begin(width) {
    const browser = await open(given.chromium);
    const journey = new Journey();
    Object.assign(journey, {
      browser, width, began: Date.now(), google: new Google(given.google),
      operator: await Window.open(browser, width, given.screenshots),
      administrator: await Window.open(browser, width, given.screenshots),
      editor: await Window.open(browser, width, `${given.screenshots}/templates`),
    });
    return journey;
  }

  // What a single operator's password opens.
  async withOnePassword() {
    const { browser, width, google, operator, administrator, editor } = this;
    await Promise.all([
      serviceAccount(operator, google, town, `acme${width}`),
      linkedAccount(browser, administrator, google, town, `globex${width}`),
    ]);
    await templates(editor, google, town, `mails${width}`);
    await framed(operator, town, `mails${width}`);
    await keyboard(operator, town, "/console", `/console/tenants/mails${width}/templates/texts/en/reminder`);
    await answers(operator, google, town, `globex${width}`);
    await webhooks(operator, town, `mails${width}`);
    await campaigns(operator, town, `mails${width}`);
    await operating(operator, google, town, `acme${width}`, `globex${width}`);
  }

  // Accounts change what everybody's page to sign in looks like.
  async withAccounts() {
    await operators(this.operator, this.google, town, `globex${this.width}`);
    const stops = this.operator.stops + this.administrator.stops + this.editor.stops;
    console.log(`${this.width} px: both set-ups and a tenant’s templates, ${stops} stops clean in light and dark, ${((Date.now() - this.began) / 1000).toFixed(0)} s`);
  }

  async failed() {
    for (const whose of ["operator", "administrator", "editor"]) {
      await this[whose].page.screenshot({ path: `${given.screenshots}/${this.width}-failed-${whose}.png`, fullPage: true });
    }
  }
}

const journeys = await Promise.all([390, 1280].map(Journey.begin));
try {
  await Promise.all(journeys.map((each) => each.withOnePassword()));
  for (const each of journeys) await each.withAccounts();
} catch (error) {
  await Promise.all(journeys.map((each) => each.failed()));
  throw error;
} finally {
  await Promise.all(journeys.map((each) => each.browser.close()));
}
