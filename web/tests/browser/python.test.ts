/** The page against the Python command: the same photos, the same result. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { CHECKOUT, choose, fitted, launch, PHOTOS, samplePhoto, saved } from "./browser.ts";

/** Any Python that has the package's requirements; `make demo` sets this one up. */
const PYTHON = process.env.PYTHON ?? `${CHECKOUT}.venv/bin/python`;
/** In dB: what the issue asks for. Rounding to bytes alone leaves about 59. */
const WANTED = 40;

/** A graphics card in software is slow to warm up. */
const GPU_PATIENCE = 110_000;

const COMPARE = fileURLToPath(new URL("compare.py", import.meta.url));

let browser: Browser;
beforeAll(async () => {
  if (!existsSync(PYTHON))
    throw new Error(`${PYTHON} is missing: run make demo, or set PYTHON to one that has the package's requirements.`);
  browser = await launch();
});
afterAll(() => browser?.close());

const PAIRS = [
  ["mobilenet", "zca", "lake_content.jpg", "lake_style.jpg"],
  ["mobilenet", "adain", "portrait_content.jpg", "portrait_style.jpg"],
  ["vgg", "shrinkage", "mountain_content.jpg", "mountain_style.jpg"],
  ["vgg", "ot", "city_content.jpg", "city_style.jpg"],
];

test.each(PAIRS)("%s, %s: %s in the light of %s", async (backbone, transform, content, style) => {
  const page = await browser.newPage();
  await page.goto(inject("address"));
  await requireSameResult(page, backbone, transform, PHOTOS + content, PHOTOS + style);
  await page.close();
});

test("by WebGPU, here in software and so for small photos", async () => {
  const withWebGpu = await launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
  const page = await withWebGpu.newPage();
  await page.goto(`${inject("address")}?processor=webgpu`);
  const pair = await Promise.all(
    ["lake_content.jpg", "lake_style.jpg"].map(async (name) => {
      const path = join(mkdtempSync(join(tmpdir(), "page-")), name);
      writeFileSync(path, (await samplePhoto(page, name, 240, 160)).buffer);
      return path;
    }),
  );
  await requireSameResult(page, "mobilenet", "zca", pair[0], pair[1]);
  expect(await page.locator("html").getAttribute("data-processor")).toBe("webgpu");
  await withWebGpu.close();
});

test("without a graphics card, what asks for WebGPU gets WebAssembly", async () => {
  const page = await browser.newPage();
  await page.goto(`${inject("address")}?processor=webgpu`);
  await requireSameResult(page, "mobilenet", "zca", `${PHOTOS}lake_content.jpg`, `${PHOTOS}lake_style.jpg`);
  expect(await page.locator("html").getAttribute("data-processor")).toBe("wasm");
  await page.close();
});

test("the natural end is Python's grade, and so is its LUT", async () => {
  const photos = ["stream_content.jpg", "stream_style.jpg"].map((name) => PHOTOS + name);
  const page = await browser.newPage();
  await page.goto(inject("address"));
  await page.getByLabel("Natural to rich").fill("0");
  await choose(page, "Style", photos[1]);
  await choose(page, "Content", photos[0]);
  await fitted(page);
  const files = [await saved(page, "Photo as PNG"), await saved(page, "LUT (.cube)")];
  const [result, saidByLut] = compared("grade", ...photos, ...files);
  console.log(`grade: result ${result.toFixed(1)} dB, its LUT ${saidByLut.toFixed(1)} dB`);
  expect(result).toBeGreaterThan(WANTED);
  expect(saidByLut).toBeGreaterThan(WANTED);
  await page.close();
});

test("half way, and weaker, the look's file is what is seen", async () => {
  const photos = ["stream_content.jpg", "stream_style.jpg"].map((name) => PHOTOS + name);
  const page = await browser.newPage();
  await page.goto(inject("address"));
  await page.getByLabel("Natural to rich").fill("40");
  await page.getByLabel("Strength").fill("80");
  await choose(page, "Style", photos[1]);
  await choose(page, "Content", photos[0]);
  await fitted(page);
  const files = [await saved(page, "Photo as PNG"), await saved(page, "Look (.npz)")];
  const [saidByLook] = compared("look", photos[0], ...files);
  console.log(`richness 40 %, strength 80 %: its look ${saidByLook.toFixed(1)} dB`);
  expect(saidByLook).toBeGreaterThan(WANTED);
  await page.close();
});

/** Stylise a pair on a page: its picture and its look are the command's. */
async function requireSameResult(page: Page, backbone: string, transform: string, content: string, style: string) {
  await page.getByLabel("Network").selectOption(backbone);
  await page.getByLabel("Transform").selectOption(transform);
  await choose(page, "Style", style);
  await choose(page, "Content", content);
  await fitted(page, GPU_PATIENCE);
  const png = await saved(page, "Photo as PNG");
  const look = await saved(page, "Look (.npz)");
  const [result, saidByLook] = compared("transfer", backbone, transform, content, style, png, look);
  console.log(
    `${backbone}, ${transform}, ${basename(content)}: result ${result.toFixed(1)} dB, its look ${saidByLook.toFixed(1)} dB`,
  );
  expect(result).toBeGreaterThan(WANTED);
  expect(saidByLook).toBeGreaterThan(WANTED);
}

/** What compare.py says, in dB. */
function compared(...words: string[]): number[] {
  return execFileSync(PYTHON, [COMPARE, ...words], { cwd: CHECKOUT, encoding: "utf8" })
    .split(" ")
    .map(Number);
}
