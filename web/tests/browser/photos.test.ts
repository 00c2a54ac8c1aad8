/** Photos of all kinds: huge, turned, transparent, broken. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { choose, fitted, launch, PHOTOS, samplePhoto, saved } from "./browser.ts";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(inject("address"));
});
afterEach(() => page.close());

test("24 megapixels come out as 24 megapixels", async () => {
  await choose(page, "Style", `${PHOTOS}lake_style.jpg`);
  await choose(page, "Content", await samplePhoto(page, "lake_content.jpg", 6000, 4000));
  await fitted(page);
  const file = await saved(page, "Photo as JPEG");
  expect(await page.locator("#status").textContent()).toContain("6000 by 4000 pixels");
  expect(await sizeOf(page, file, "image/jpeg")).toEqual([6000, 4000]);
});

test("a photo that its EXIF turns comes out upright", async () => {
  const photo = readFileSync(`${PHOTOS}lake_content.jpg`);
  await choose(page, "Content", { name: "turned.jpg", mimeType: "image/jpeg", buffer: turned(photo) });
  await choose(page, "Style", `${PHOTOS}lake_style.jpg`);
  await fitted(page);
  expect(await sizeOf(page, await saved(page, "Photo as PNG"), "image/png")).toEqual([450, 800]);
});

test("transparent parts stay transparent in a PNG", async () => {
  const buffer = await drawn(page, 64, 48, (context) => {
    context.fillStyle = "#c06030";
    context.fillRect(0, 0, 32, 48);
  });
  await choose(page, "Content", { name: "half.png", mimeType: "image/png", buffer });
  await choose(page, "Style", `${PHOTOS}lake_style.jpg`);
  await fitted(page);
  const file = readFileSync(await saved(page, "Photo as PNG")).toString("base64");
  const alphas = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(64, 48).getContext("2d");
    context?.drawImage(bitmap, 0, 0);
    return [10, 50].map((x) => context?.getImageData(x, 20, 1, 1).data[3]);
  }, file);
  expect(alphas).toEqual([255, 0]);
});

test("a photo with colours outside sRGB is saved in Display P3, to the number", async () => {
  const address = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = canvas.getContext("2d", { colorSpace: "display-p3" });
    if (!context) return "";
    context.fillStyle = "color(display-p3 1 0.2 0.1)"; // 255, 51, 25.5
    context.fillRect(0, 0, 64, 64);
    context.fillStyle = "color(display-p3 0.2 0.4 0.6)";
    context.fillRect(32, 0, 32, 64);
    return canvas.toDataURL();
  });
  await choose(page, "Content", {
    name: "red.png",
    mimeType: "image/png",
    buffer: Buffer.from(address.split(",")[1], "base64"),
  });
  await choose(page, "Style", `${PHOTOS}lake_style.jpg`);
  await fitted(page);
  await page.locator("#strength").fill("0");
  const file = readFileSync(await saved(page, "Photo as PNG")).toString("base64");
  const colour = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const context = new OffscreenCanvas(64, 64).getContext("2d", { colorSpace: "display-p3" });
    context?.drawImage(await createImageBitmap(new Blob([bytes], { type: "image/png" })), 0, 0);
    return Array.from(context?.getImageData(5, 5, 1, 1).data ?? []);
  }, file);
  expect(colour).toEqual([255, 51, 26, 255]);
});

test("what is no photo is refused in one sentence, and the page goes on", async () => {
  const broken: [string, Buffer, string][] = [
    ["notes.jpg", Buffer.from("no picture at all"), "notes.jpg cannot be read"],
    ["nothing.png", Buffer.alloc(0), "nothing.png is empty."],
    ["cut.jpg", readFileSync(`${PHOTOS}lake_content.jpg`).subarray(0, 200), "cut.jpg cannot be read"],
  ];
  for (const [name, buffer, sentence] of broken) {
    await choose(page, "Content", { name, mimeType: "image/jpeg", buffer });
    await page.getByRole("alert").filter({ hasText: sentence }).waitFor();
  }
  await page.getByRole("button", { name: "Sample: Lake" }).click();
  await fitted(page);
  expect(await page.getByRole("alert").isVisible()).toBe(false);
});

test("a photo of 8 pixels is refused", async () => {
  const buffer = await drawn(page, 8, 8, () => undefined);
  await choose(page, "Content", { name: "dot.png", mimeType: "image/png", buffer });
  await page.getByRole("alert").filter({ hasText: "must be at least 16 by 16" }).waitFor();
});

test("photos can be dropped and pasted", async () => {
  const files = ["lake_content.jpg", "lake_style.jpg"].map((name) => readFileSync(PHOTOS + name).toString("base64"));
  await page.evaluate(([content, style]) => {
    const transferOf = (base64: string, name: string) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
      return transfer;
    };
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: transferOf(content, "dropped.jpg") }));
    setTimeout(() => {
      document.body.dispatchEvent(
        new ClipboardEvent("paste", { bubbles: true, clipboardData: transferOf(style, "pasted.jpg") }),
      );
    }, 500);
  }, files);
  await fitted(page);
  await page.getByText("Content: dropped.jpg").waitFor();
  await page.getByText("Style: pasted.jpg").waitFor();
});

/** A PNG that `draw` draws on a transparent ground. */
async function drawn(
  page: Page,
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
): Promise<Buffer> {
  const address = await page.evaluate(`(() => {
    const canvas = document.createElement("canvas");
    canvas.width = ${width};
    canvas.height = ${height};
    (${draw.toString()})(canvas.getContext("2d"));
    return canvas.toDataURL();
  })()`);
  return Buffer.from(String(address).split(",")[1], "base64");
}

async function sizeOf(page: Page, file: string, type: string): Promise<number[]> {
  const base64 = readFileSync(file).toString("base64");
  return page.evaluate(
    async ([base64, type]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const { width, height } = await createImageBitmap(new Blob([bytes], { type }));
      return [width, height];
    },
    [base64, type],
  );
}

/** A JPEG with an EXIF segment that says: turn by 90 degrees. */
function turned(jpeg: Buffer): Buffer {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]; // orientation, a short, one of them, 6
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0];
  const exif = [...Buffer.from("Exif\0\0"), ...tiff];
  const segment = Buffer.from([0xff, 0xe1, 0, exif.length + 2, ...exif]);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}
