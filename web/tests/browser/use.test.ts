/** The page in use: by keyboard alone, on a phone, in the dark, cancelled, without WebGL 2. */
import { readFileSync } from "node:fs";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { choose, fitted, launch, PHOTOS, saved } from "./browser.ts";

const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const PICTURES = "tests/browser/pictures";

/** In milliseconds: longer than the page draws coarsely after a slider moved. */
const DRAWN = 600;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(inject("address"));
  return page;
}

/** What axe-core finds, a line each. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
  });
}

test.each<[string, BrowserContextOptions]>([
  ["desktop", { viewport: { width: 1280, height: 860 } }],
  ["dark", { viewport: { width: 1280, height: 860 }, colorScheme: "dark" }],
  ["phone", PHONE],
])("axe-core finds nothing, empty and in use: %s", async (name, options) => {
  const page = await open(options);
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "Sample: City" }).click();
  await fitted(page);
  await choose(page, "Style 2", `${PHOTOS}stream_style.jpg`);
  await page.locator("#mix").waitFor();
  await fitted(page);
  await page.getByLabel("Paint with a brush").check();
  expect(await findings(page)).toEqual([]);
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await page.close();
});

test("by keyboard alone: a sample, before and after, strength, a file", async () => {
  const page = await open();
  await tabTo(page, "Sample: Lake");
  await page.keyboard.press("Enter");
  await fitted(page);
  await tabTo(page, "Strength");
  await page.keyboard.press("ArrowLeft");
  expect(await page.locator("#strength-value").textContent()).toBe("99 %");
  await tabTo(page, "Before and after");
  await page.keyboard.press("Home");
  expect(await page.locator("#divide").inputValue()).toBe("0");
  await tabTo(page, "Photo as JPEG");
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toBe("lake_content.stylized.jpg");
  await page.close();
});

/** Press the tabulator until something whose name begins so has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "";
    });
    if (focused.startsWith(name)) return;
  }
  throw new Error(`${name} cannot be reached by the tabulator`);
}

test("strength 0 is the photo, and the sliders need no new fit", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  await page.locator("#divide").fill("0");
  const changed = await seen(page);
  await page.locator("#strength").fill("0");
  const same = await seen(page);
  await page.locator("#divide").fill("100");
  expect((await seen(page)) === same).toBe(true);
  expect(changed === same).toBe(false);
  await page.close();
});

/** How a part of the result looks, away from the slider's thumb, once the page has drawn. */
async function seen(page: Page): Promise<string> {
  await page.waitForTimeout(DRAWN);
  await page.locator("#result").scrollIntoViewIfNeeded();
  const box = await page.locator("#result").boundingBox();
  if (!box) throw new Error("The result is not on the page");
  const clip = { x: box.x + box.width / 4, y: box.y + box.height / 4, width: 40, height: 40 };
  return (await page.screenshot({ clip })).toString("base64");
}

test("a style alone in a mix gives that style's result", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  await page.locator("#divide").fill("0");
  const alone = await seen(page);
  await choose(page, "Style 2", `${PHOTOS}stream_style.jpg`);
  await page.locator("#share-1").waitFor();
  const mixed = await seen(page);
  await page.locator("#share-1").fill("0");
  expect((await seen(page)) === alone).toBe(true);
  expect(mixed === alone).toBe(false);
  await page.getByRole("button", { name: "Remove style 2" }).click();
  await page.locator("#mix").waitFor({ state: "hidden" });
  await page.close();
});

test("the brush brings the photo back where it paints, by pointer and by keyboard, and in what is saved", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  await page.locator("#divide").fill("0");
  await page.locator("#strength").fill("0");
  const photo = await seen(page);
  await page.locator("#strength").fill("100");
  const look = await seen(page);
  await page.getByLabel("Paint with a brush").check();
  await page.getByLabel("Size of the brush").fill("60");
  const box = await page.locator("#brush").boundingBox();
  if (!box) throw new Error("There is nothing to paint on");
  await page.locator("#brush").click({ position: { x: box.width / 4 + 20, y: box.height / 4 + 20 } });
  await page.locator("#brush").press("ArrowRight");
  await page.locator("#brush").press("Space");
  await page.getByLabel("Paint with a brush").uncheck();
  const painted = await seen(page);
  expect([photo === look, painted === look]).toEqual([false, false]);
  const withBrush = readFileSync(await saved(page, "Photo as PNG"));
  await page.getByLabel("Paint with a brush").check();
  await page.getByRole("button", { name: "Everywhere again" }).click();
  await page.getByLabel("Paint with a brush").uncheck();
  expect((await seen(page)) === look).toBe(true);
  expect(withBrush.equals(readFileSync(await saved(page, "Photo as PNG")))).toBe(false);
  await page.close();
});

test("work can be cancelled, and begun again", async () => {
  const page = await open();
  await page.getByLabel("Network").selectOption("vgg");
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled.").waitFor();
  expect(await page.getByRole("button", { name: "Photo as JPEG" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  await page.close();
});

test("a browser without WebGL 2 is told so", async () => {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    HTMLCanvasElement.prototype.getContext = () => null;
  });
  await page.goto(inject("address"));
  await page.getByRole("alert").filter({ hasText: "no WebGL 2" }).waitFor();
  await page.close();
});
