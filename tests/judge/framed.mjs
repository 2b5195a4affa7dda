// Clickjacking: a page of another site cannot show ours in a frame.
import { expect } from "./browser.mjs";

export async function framed(window, town) {
  const { page } = window;
  const shown = async (path) => {
    const body = `<!doctype html><title>Another site</title><iframe src="${town.gateway}${path}"></iframe>`;
    await page.route("http://evil.example/", (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto("http://evil.example/");
    const url = page.frames()[1].url();
    await page.unroute("http://evil.example/");
    return url;
  };
  expect((await shown("/healthz")).endsWith("/healthz"), "what may be framed is, so that the next means something");
  for (const path of ["/console", "/console/sign-in", "/connect"]) {
    const url = await shown(path);
    expect(url.startsWith("chrome-error:"), `a foreign page shows ${url}`);
  }
  window.errors.length = 0; // the browser has said why it does not
}
