/** Nothing leaves the browser, and nothing but the page's own files comes in. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { fitted, launch } from "./browser.ts";

let browser: Browser;
let context: BrowserContext;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());

async function workerIsActive(): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

test("not one request to another host, none but GET, and the policy is never broken", async () => {
  const foreign: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => {
    const isOwn = request.url().startsWith(inject("address")) || request.url().startsWith("blob:");
    if (!isOwn || request.method() !== "GET") foreign.push(`${request.method()} ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(inject("address"));
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  await workerIsActive();
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

test("the policy forbids what a page could leak by", async () => {
  await page.goto(inject("plainAddress"));
  const outcome = await page.evaluate(() =>
    fetch("https://example.org/").then(
      () => "sent",
      () => "refused",
    ),
  );
  expect(outcome).toBe("refused");
});

test("after the first visit the page works offline, with another network too", async () => {
  await page.goto(inject("plainAddress"));
  await workerIsActive();
  await context.setOffline(true);
  await page.reload();
  await page.getByLabel("Network").selectOption("vgg");
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
});

test("a server without headers: threads from the second visit on", async () => {
  await page.goto(inject("plainAddress"));
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await workerIsActive();
  await page.reload();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
});
