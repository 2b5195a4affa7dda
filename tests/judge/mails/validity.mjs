// Each page, judged by html-validate's recommended rules; what a mail must do otherwise is told here, with its reason.
import { HtmlValidate } from "html-validate";

const asInMail = Object.fromEntries(
  // Word takes alignment, width and spacing of tables from attributes alone, and draws a border around a linked picture.
  Object.entries({ table: ["width", "cellpadding", "cellspacing"], td: ["align"], img: ["border"] }).map(([tag, names]) => [
    tag, { attributes: Object.fromEntries(names.map((name) => [name, { deprecated: false }])) },
  ]),
);

const validator = new HtmlValidate({
  root: true,
  extends: ["html-validate:recommended"],
  elements: ["html5", asInMail],
  rules: {
    // Many mail programs drop style sheets: what a page cannot do without stands in its elements.
    "no-inline-style": "off",
    // Word reads them, and nobody else does: it gets a table as wide as others make theirs by a greatest width.
    "no-conditional-comment": "off",
    // The title is the subject, which is the customer's.
    "long-title": "off",
  },
});

// A page without its words.
export const shape = (html) => html.replace(/>[^<>]+</g, "><").replace(/ (href|alt|lang|title)="[^"]*"/g, "");

export async function valid(mail, found) {
  const report = await validator.validateString(mail.html);
  for (const each of report.results.flatMap((result) => result.messages)) {
    found(mail, `html-validate ${each.ruleId}, line ${each.line}: ${each.message} (${each.selector})`);
  }
}
