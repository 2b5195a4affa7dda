// One sheet for a language: a row for each kind, half as large as life.

export async function sheet(browser, figures, file) {
  const rows = grouped(figures);
  const page = await browser.newPage({ viewport: { width: 3600, height: 800 } });
  await page.setContent(`<style>body{margin:12px;font:13px sans-serif;background:#888}section{display:flex;gap:10px;align-items:start;margin-bottom:24px}
    figure{margin:0}div{max-height:1200px;overflow:hidden}img{display:block}</style>${[...rows].map(([kind, row]) => `<h2>${kind}</h2><section>${row.map(figure).join("")}</section>`).join("")}`);
  await page.waitForFunction(() => [...document.images].every((each) => each.complete));
  await page.screenshot({ path: file, fullPage: true });
  await page.close();
}

const grouped = (figures) => {
  const rows = new Map();
  for (const each of figures) rows.set(each.mail.kind, [...(rows.get(each.mail.kind) ?? []), each]);
  return rows;
};

const figure = ({ mail, way, width, picture }) =>
  `<figure><figcaption>${mail.sample} ${mail.look}, ${way}</figcaption><div><img width="${width / 2}" src="data:image/jpeg;base64,${picture.toString("base64")}"></div></figure>`;
