/** Headless Chromium for the tests, and what they do with the page. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const CHECKOUT = fileURLToPath(new URL("../../../", import.meta.url));
export const PHOTOS = `${CHECKOUT}notebooks/photos/`;
/** A fit takes a second or two; machines that do other things take longer. */
const PATIENCE = 30_000;

/** `more` are options of Chromium's. */
export function launch(...more: string[]): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `${CHROMIUM} is missing. Install Chromium (Debian: apt-get install chromium), or set CHROMIUM to its path.`,
    );
  }
  const isRoot = process.getuid?.() === 0;
  // SwiftShader draws WebGL without a graphics card; Chromium's sandbox does not run for root.
  const options = ["--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  options.push(...more);
  return chromium.launch({ executablePath: CHROMIUM, args: isRoot ? [...options, "--no-sandbox"] : options });
}

/** Put photos in their places: files, or files' contents. */
export async function choose(
  page: Page,
  slot: "Content" | "Style" | "Style 2" | "Style 3",
  file: string | { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  await input(page, slot).setInputFiles(file);
}

export function input(page: Page, slot: string) {
  return page
    .locator(".slot", { has: page.locator(".caption", { hasText: new RegExp(`^${slot}(:|$)`) }) })
    .locator("input[type=file]");
}

/** Wait for a look. */
export async function fitted(page: Page, patience = PATIENCE): Promise<void> {
  await page.waitForFunction(() => document.getElementById("status")?.textContent?.startsWith("Done"), undefined, {
    timeout: patience,
  });
}

/** What the page saves when a button is pressed. */
export async function saved(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download", { timeout: PATIENCE }),
    page.getByRole("button", { name: button }).click(),
  ]);
  return download.path();
}

/** A sample photo as a JPEG of another size. */
export async function samplePhoto(page: Page, name: string, width: number, height: number) {
  const base64 = await page.evaluate(
    async ([address, width, height]) => {
      const bitmap = await createImageBitmap(await (await fetch(address as string)).blob());
      const canvas = document.createElement("canvas");
      canvas.width = width as number;
      canvas.height = height as number;
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      return canvas.toDataURL("image/jpeg", 0.9).split(",")[1];
    },
    [`samples/${name}`, width, height],
  );
  return { name: "enlarged.jpg", mimeType: "image/jpeg", buffer: Buffer.from(base64, "base64") };
}
