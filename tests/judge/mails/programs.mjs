// What mail programs make of a page before they draw it; what each knows is noted at caniemail.com.

const styled = (html, change) =>
  html.replace(/<(\w+)\b([^<>]*?) style="([^"]*)"/g, (_, tag, before, style) => {
    const kept = style.split(";").map((each) => each.split(/:(.*)/s).map((part) => part.trim())).filter(([name]) => name)
      .flatMap(([name, value]) => change(tag, name, value)).map((pair) => pair.join(": "));
    return `<${tag}${before} style="${kept.join("; ")}"`;
  });

const withoutSheets = (html) => html.replace(/<style>.*?<\/style>/gs, "");

// Gmail, where it shows another provider's account: no style sheet, and none of the newer properties.
export function asGmail(html) {
  const cut = withoutSheets(html).replace(/<!--.*?-->/gs, "").replace(/<body[^>]*>/, '<body style="margin: 0">');
  return styled(cut, (_, name, value) => (/^(overflow-wrap|text-wrap|border-radius|max-width|mso-.*|-webkit-.*)$/.test(name) ? [] : [[name, value]]));
}

// Outlook for Windows draws with Word: comments of its own, no padding but a cell's, no margin of a table, no direction of a page.
export function asWord(html) {
  const opened = withoutSheets(html).replace(/<!--\[if mso\]>(.*?)<!\[endif\]-->/gs, "$1").replace(/<(html|body|div)([^>]*?) dir="\w+"/g, "<$1$2");
  return styled(opened, (tag, name, value) => {
    if (name === "mso-hide") return [["display", "none"]];
    if (name === "mso-padding-alt") return [["padding", value]];
    if (name === "display" && value !== "none") return [];
    if (name === "padding" && !["td", "th"].includes(tag)) return [];
    if (name === "margin" && tag === "table") return [];
    if (/^(border-radius|max-width|max-height|overflow|overflow-wrap|text-wrap|opacity|mso-.*|-webkit-.*)$/.test(name)) return [];
    return [[name, value]];
  });
}
