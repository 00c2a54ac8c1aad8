/** Films and the camera, played through the look; several styles, mixed in a triangle. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { choose, fitted, launch, PHOTOS } from "./browser.ts";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(inject("address"));
  await choose(page, "Style", `${PHOTOS}lake_style.jpg`);
});
afterEach(() => page.close());

test("a film is played through the look, and where it pauses a frame can be saved", async () => {
  await choose(page, "Content", { name: "film.webm", mimeType: "video/webm", buffer: await film(page) });
  await fitted(page);
  await page.locator("#divide").fill("0");
  await page.getByRole("button", { name: "Play" }).click();
  const pictures = new Set<string>();
  for (let i = 0; i < 8; i++) {
    pictures.add((await page.locator("#result").screenshot()).toString("base64"));
    await page.waitForTimeout(150);
  }
  expect(pictures.size).toBeGreaterThan(2);
  await page.getByRole("button", { name: "Pause" }).click();
  await fitted(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Photo as JPEG" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("film.stylized.jpg");
});

test("a file that is no film is refused in one sentence", async () => {
  await choose(page, "Content", { name: "broken.mp4", mimeType: "video/mp4", buffer: Buffer.from("no film") });
  await page.getByRole("alert").filter({ hasText: "broken.mp4 is not a film that this browser can play" }).waitFor();
});

test("the camera is seen through the look at once", async () => {
  await page.getByRole("button", { name: "Camera as content" }).click();
  await page.getByText("Playing through the look.").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Content: camera.png").waitFor();
});

test("three styles are mixed by dragging in a triangle", async () => {
  await choose(page, "Content", `${PHOTOS}lake_content.jpg`);
  await choose(page, "Style 2", `${PHOTOS}city_style.jpg`);
  await choose(page, "Style 3", `${PHOTOS}stream_style.jpg`);
  const triangle = page.locator(".triangle");
  await triangle.waitFor();
  await fitted(page);
  await triangle.scrollIntoViewIfNeeded();
  const box = await triangle.boundingBox();
  if (!box) throw new Error("There is no triangle");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.6);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 2, { steps: 5 });
  await page.mouse.up();
  const shares = await page
    .locator("#shares input")
    .evaluateAll((sliders) => sliders.map((slider) => (slider as HTMLInputElement).value));
  expect(shares.map(Number)).toEqual([100, 0, 0]);
});

/** A second of a moving square, as the browser's own recorder writes it. */
async function film(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 160;
    canvas.height = 96;
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
    const parts: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    recorder.start();
    for (let i = 0; i < 30; i++) {
      if (!context) break;
      context.fillStyle = "#3070a0";
      context.fillRect(0, 0, 160, 96);
      context.fillStyle = "#e0b040";
      context.fillRect(i * 4, 20, 40, 40);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  });
  return Buffer.from(base64, "base64");
}
