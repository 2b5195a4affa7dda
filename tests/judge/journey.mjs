// The whole journey, at the width of a phone and of a desk. Started by `python -m judge`, which runs everything else.
import { execFileSync } from "node:child_process";
import { answers } from "./answers.mjs";
import { Window, open } from "./browser.mjs";
import { Google } from "./google.mjs";
import { framed } from "./framed.mjs";
import { keyboard } from "./keyboard.mjs";
import { linkedAccount } from "./linked_account.mjs";
import { operating } from "./operating.mjs";
import { operators } from "./operators.mjs";
import { serviceAccount } from "./service_account.mjs";
import { templates } from "./templates.mjs";

const given = JSON.parse(process.env.JUDGE);
const run = (...command) => execFileSync(given.python, ["-m", ...command], { env: process.env, encoding: "utf8" });
const town = {
  gateway: given.gateway,
  password: given.password,
  hand: (...command) => run("judge.hand", ...command),
  certmail: (...command) => JSON.parse(run("certmail_worker", ...command, "--json")),
  send: (...reminders) => execFileSync(given.python, ["-m", "certmail_worker", "send", "-"], {
    env: process.env, input: reminders.map((each) => JSON.stringify(each)).join("\n"), stdio: ["pipe", "ignore", "ignore"],
  }),
  setupLink: (tenant, back) => {
    run("certmail_worker", "tenants", "add", tenant, "--name", "Globex");
    const made = run("certmail_worker", "connections", "setup-link", tenant, "--return-url", back, "--state", "xyz", "--json");
    return JSON.parse(made).url;
  },
};

const browser = await open(given.chromium);
try {
  for (const width of [390, 1280]) {
    const google = new Google(given.google);
    const operator = await Window.open(browser, width, given.screenshots);
    const editor = await Window.open(browser, width, `${given.screenshots}/templates`);
    const administrator = await Window.open(browser, width, given.screenshots);
    const began = Date.now();
    try {
      await Promise.all([
        serviceAccount(operator, google, town, `acme${width}`),
        linkedAccount(browser, administrator, google, town, `globex${width}`),
      ]);
      await templates(editor, google, town, `mails${width}`);
      await framed(operator, town, `mails${width}`);
      await keyboard(operator, town, "/console", `/console/tenants/mails${width}/templates/texts/en/reminder`);
      await answers(operator, google, town, `globex${width}`);
      await operating(operator, google, town, `acme${width}`, `globex${width}`);
      await operators(operator, google, town, `globex${width}`);
    } catch (error) {
      await operator.page.screenshot({ path: `${given.screenshots}/${width}-failed-operator.png`, fullPage: true });
      await administrator.page.screenshot({ path: `${given.screenshots}/${width}-failed-administrator.png`, fullPage: true });
      await editor.page.screenshot({ path: `${given.screenshots}/${width}-failed-editor.png`, fullPage: true });
      throw error;
    }
    console.log(`${width} px: both set-ups and a tenant’s templates, ${operator.stops + administrator.stops + editor.stops} stops clean in light and dark, ${((Date.now() - began) / 1000).toFixed(0)} s`);
    await operator.close();
    await administrator.close();
    await editor.close();
  }
} finally {
  await browser.close();
}
