// Each sample read by two other readers of mail and by html-validate; and drawn, if there is a browser to draw with.
import { readFileSync } from "node:fs";
import { drawn } from "./drawing.mjs";
import { read } from "./readers.mjs";
import { shape, valid } from "./validity.mjs";

const { chromium, sheets, pictures, mails } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const faults = [];
const found = (mail, what) => faults.push(`${mail.name}: ${what}`.slice(0, 600));
const say = (line) => process.stdout.write(`${line}\n`);
const since = (begun) => `${((Date.now() - begun) / 1000).toFixed(1)} s`;

let begun = Date.now();
for (const mail of mails) await read(mail, found);
say(`${mails.length} mails read by mailparser and postal-mime as by Python: ${since(begun)}`);

begun = Date.now();
// Words make no page invalid: where nothing is drawn, and time is short, each shape of a page is judged once.
const judged = chromium ? mails : [...new Map(mails.map((mail) => [shape(mail.html), mail])).values()];
for (const mail of judged) await valid(mail, found);
say(`${judged.length} pages judged by html-validate${chromium ? "" : ", one of each shape"}: ${since(begun)}`);

if (chromium) {
  begun = Date.now();
  const { drawings, rules } = await drawn(chromium, mails, sheets, pictures, found, say);
  say(`${drawings} drawings: ${since(begun)}`);
  say(`axe's rules that met something to judge: ${rules.join(", ")}`);
}

for (const fault of faults) say(fault);
say(`${mails.length} mails; ${faults.length} faults.`);
process.exit(faults.length ? 1 : 0);
