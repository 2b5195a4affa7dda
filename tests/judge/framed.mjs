// Clickjacking: a page of another site, which has a server of its own here, cannot show ours in a frame.
import { createServer } from "node:http";
import { expect } from "./browser.mjs";

export async function framed(window, town, tenant) {
  const { page } = window;
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://evil").searchParams.get("path") ?? "/healthz";
    response.setHeader("Content-Type", "text/html");
    if (path === "/own") return void response.end("<!doctype html><title>A page of its own</title>");
    const framed = path === "/framed" ? "/?path=/own" : town.gateway + path;
    response.end(`<!doctype html><title>Another site</title><link rel="icon" href="data:,"><iframe src="${framed}"></iframe>`);
  });
  await new Promise((ready) => { server.listen(0, "127.0.0.1", ready); });
  const shown = async (path) => {
    await page.goto(`http://127.0.0.1:${server.address().port}/?path=${path}`);
    return page.frames()[1].url();
  };
  expect((await shown("/framed")).endsWith("/own"), "what may be framed is, so that the next means something");
  for (const path of ["/console", "/console/sign-in", "/connect", "/oauth/google/account/x", "/healthz",
    `/console/tenants/${tenant}/templates/texts/en/reminder/frame`]) {
    const url = await shown(path);
    expect(url.startsWith("chrome-error:"), `a foreign page shows ${url}`);
  }
  server.close();
  window.errors.length = 0; // the browser has said why it does not
}
