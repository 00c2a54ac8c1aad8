import { inject, test } from "vitest";
import { launch, choose, fitted, PHOTOS, saved } from "./browser.ts";
import { copyFileSync } from "node:fs";
test("try", async () => {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("console", (m) => console.log(m.type(), m.text()));
  page.on("pageerror", (e) => console.log("ERR", e));
  page.on("requestfailed", (r) => console.log("failed", r.url()));
  await page.goto(inject("address"));
  console.log("isolated", await page.evaluate(() => crossOriginIsolated));
  await page.screenshot({ path: "tests/browser/pictures/empty.png" });
  for (const [c, s] of [["lake_content", "lake_style"], ["summer_palace", "rocket_launch"], ["portrait_content", "portrait_style"]]) {
    await choose(page, "Style", PHOTOS + s + ".jpg");
    await page.waitForTimeout(300);
    await choose(page, "Content", PHOTOS + c + ".jpg");
    await page.waitForTimeout(200);
    await fitted(page);
    console.log(await page.locator("#status").textContent());
    copyFileSync(await saved(page, "Photo as PNG"), `tests/browser/pictures/${c}.png`);
    copyFileSync(await saved(page, "Look"), `tests/browser/pictures/${c}.npz`);
    copyFileSync(await saved(page, "LUT"), `tests/browser/pictures/${c}.cube`);
    await page.screenshot({ path: `tests/browser/pictures/page_${c}.png` });
  }
  await browser.close();
});
