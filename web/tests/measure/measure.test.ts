/** What docs/page.md tells of speed and size: npm run measure. Times of software rendering in headless Chromium. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, inject, test } from "vitest";
import { choose, fitted, launch, samplePhoto, saved } from "../browser/browser.ts";

const ONE_MEGAPIXEL = [1152, 864] as const;
const REPEATS = 5;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test.each([
  ["mobilenet", "address"],
  ["vgg", "address"],
  ["mobilenet", "plainAddress"],
  ["vgg", "plainAddress"],
] as const)("first result of a 1-megapixel pair, %s, %s", async (backbone, server) => {
  const times = [];
  for (let i = 0; i < REPEATS; i++) {
    const page = await browser.newPage();
    await page.goto(inject(server));
    await page.getByText("Ready.").waitFor(); // while somebody looks for a photo, the network is loaded
    await page.getByLabel("Network").selectOption(backbone);
    const photos = [
      await samplePhoto(page, "lake_content.jpg", ...ONE_MEGAPIXEL),
      await samplePhoto(page, "lake_style.jpg", ...ONE_MEGAPIXEL),
    ];
    await choose(page, "Style", photos[0]);
    const begun = performance.now();
    await choose(page, "Content", photos[1]);
    await fitted(page);
    times.push((performance.now() - begun) / 1000);
    await page.close();
  }
  const threads = server === "address" ? "two threads" : "one thread";
  report(`first result, 1 megapixel, ${backbone}, ${threads}, s`, times);
});

test.each([1, 1920 / 1376])(
  "frames a second while strength moves, a photo of 1920x1080, %s pixels a CSS pixel",
  async (deviceScaleFactor) => {
    const page = await browser.newPage({ viewport: { width: 1804, height: 1014 }, deviceScaleFactor });
    await page.goto(inject("address"));
    await choose(page, "Content", await samplePhoto(page, "lake_content.jpg", 1920, 1080));
    await choose(page, "Style", await samplePhoto(page, "lake_style.jpg", 1920, 1080));
    await fitted(page);
    await page.locator("#divide").fill("0");
    const shown = await page.locator("#result").evaluate((canvas) => {
      return [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio)).join("x");
    });
    for (const richness of ["100", "50"]) {
      await page.locator("#richness").fill(richness);
      const rates = [];
      for (let i = 0; i < REPEATS; i++) rates.push(await page.evaluate(framesASecond));
      report(`frames a second, shown at ${shown}, richness ${richness} %`, rates);
    }
    await page.close();
  },
);

/** Move the strength slider once a frame, for a while; every frame is drawn before the next. */
async function framesASecond(): Promise<number> {
  const slider = document.getElementById("strength") as HTMLInputElement;
  const canvas = document.getElementById("result") as HTMLCanvasElement;
  const gl = canvas.getContext("webgl2");
  const frames = 30;
  const begun = performance.now();
  for (let i = 0; i < frames; i++) {
    slider.value = String(i % 100);
    slider.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for the drawing
  }
  return (1000 * frames) / (performance.now() - begun);
}

test("a 24-megapixel photo", async () => {
  const page = await browser.newPage();
  await page.goto(inject("address"));
  const content = await samplePhoto(page, "lake_content.jpg", 6000, 4000);
  await choose(page, "Style", await samplePhoto(page, "lake_style.jpg", ...ONE_MEGAPIXEL));
  let begun = performance.now();
  await choose(page, "Content", content);
  await fitted(page);
  report("first result, 24 megapixels, s", [(performance.now() - begun) / 1000]);
  begun = performance.now();
  await saved(page, "Photo as JPEG");
  report("its JPEG at full size, s", [(performance.now() - begun) / 1000]);
  await page.close();
});

test("size of the bundle without weights and ONNX Runtime's WebAssembly, gzip", () => {
  const dist = new URL("../../dist/", import.meta.url);
  const files = [
    ...readdirSync(new URL("assets/", dist)).map((name) => `assets/${name}`),
    "index.html",
    "service-worker.js",
  ];
  const sizes = files.map((name) => gzipSync(readFileSync(new URL(name, dist))).length / 1000);
  report("bundle, KB", [sizes.reduce((sum, size) => sum + size, 0)]);
});

function report(what: string, values: number[]): void {
  const ordered = values.toSorted((a, b) => a - b);
  const digits = (value: number) => value.toFixed(2);
  console.log(
    `${what}: median ${digits(ordered[ordered.length >> 1])}, from ${digits(ordered[0])} to ${digits(ordered[ordered.length - 1])}`,
  );
}
