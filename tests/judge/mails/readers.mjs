// Two other readers of mail, which must find in each field what Python's found.
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";

const FIELDS = ["subject", "from", "to", "replyTo", "id", "date", "headers", "text", "html", "files", "others"];

export async function read(mail, found) {
  const raw = Buffer.from(mail.raw, "base64");
  const wanted = { ...mail, others: [0, 0] };

  for (const [reader, fields] of [["mailparser", await byMailparser(raw, mail)], ["postal-mime", await byPostalMime(raw, mail)]]) {
    for (const field of FIELDS) {
      const [one, other] = [fields[field], wanted[field]].map((each) => compared(field, each));
      if (one !== other) found(mail, `${reader} reads ${field} as ${one}, not ${other}`);
    }
  }
}

const files = (attachments) => attachments.map((each) => [each.filename, Buffer.from(each.content).toString("utf8").replaceAll("\r\n", "\n")]);

async function byMailparser(raw, mail) {
  const read = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  const people = (header) => (header?.value ?? []).map((each) => [each.name, each.address]);
  return {
    subject: read.subject, from: people(read.from), to: people(read.to), replyTo: people(read.replyTo), id: read.messageId,
    date: read.date, text: read.text, html: read.html, files: files(read.attachments), others: [read.cc, read.bcc],
    headers: Object.keys(mail.headers).map((name) => read.headers.get(name)),
  };
}

async function byPostalMime(raw, mail) {
  const read = await PostalMime.parse(raw);
  const people = (list) => [list ?? []].flat().map((each) => [each.name, each.address]);
  const headers = Object.fromEntries(read.headers.map((each) => [each.key, each.value]));
  return {
    subject: read.subject, from: people(read.from), to: people(read.to), replyTo: people(read.replyTo), id: read.messageId,
    date: read.date, text: read.text, html: read.html, files: files(read.attachments), others: [read.cc, read.bcc],
    headers: Object.keys(mail.headers).map((name) => headers[name]),
  };
}

function compared(field, value) {
  if (["text", "html"].includes(field)) return (value ?? "").replaceAll("\r\n", "\n").trimEnd();
  if (field === "date") return String(new Date(value).getTime());
  if (field === "headers") return JSON.stringify(Object.values(value).map((each) => each ?? ""));
  if (field === "others") return JSON.stringify(value.map((each) => each ?? 0));
  // Python puts a blank before some brackets of a name.
  const written = JSON.stringify(value);
  return ["from", "to", "replyTo"].includes(field) ? written.replaceAll(" ", "") : written;
}
