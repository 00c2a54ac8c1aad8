/** Where the result is seen: the photo through the look, with a slider between before and after. */
import { identityLook, type Look } from "../numbers/look.ts";
import { identityLut, type Lut } from "../numbers/lut.ts";
import { Renderer, type Settings, type Size } from "../view/renderer.ts";
import { byId } from "./elements.ts";
import type { Photo } from "./photo.ts";

const NOTHING = { look: identityLook({ rows: 2, columns: 2, bins: 2 }), grade: identityLut(2) };

/** In milliseconds: a frame that takes longer is seen to jerk. */
const SLOW_FRAME = 40;
/** Share of the width that is drawn while frames are slow: without a graphics card, or on a slow one. */
const COARSE = 0.5;
/** In milliseconds: so long after the last move the result is drawn finely again. */
const REST = 200;

export class Stage {
  settings: Settings = { strength: 1, richness: 0.5 };
  private readonly box = byId("stage", HTMLElement);
  private readonly divide = byId("divide", HTMLInputElement);
  private readonly renderer: Renderer;
  private size: Size | undefined;
  private isFitted = false;
  private isDue = false;
  /** How large the canvas is beside the pixels that the look was applied to. */
  private scale = 1;
  private rest: number | undefined;

  /** `onError` is called where the graphics card fails while the page is open. */
  constructor(onError: (error: Error) => void) {
    const canvas = byId("result", HTMLCanvasElement);
    this.renderer = new Renderer(canvas);
    this.divide.addEventListener("input", () => this.draw());
    canvas.addEventListener("webglcontextlost", () => {
      onError(new Error("The graphics card was lost, perhaps for want of memory. Reload the page."));
    });
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** Show a content photo as it is. */
  showPhoto(photo: Photo): void {
    this.box.style.setProperty("--shape", String(photo.width / photo.height));
    this.size = { width: photo.width, height: photo.height };
    this.renderer.setColorSpace(photo.colorSpace);
    this.renderer.setPhoto(photo.view);
    this.clearLook();
    this.box.classList.add("filled");
    this.resize();
  }

  /** Show the frame of a film, of the content's size, through the same look. */
  showFrame(video: HTMLVideoElement): void {
    this.renderer.setPhoto(video);
    this.drawNow();
  }

  showLook(look: Look, grade: Lut): void {
    this.renderer.setLook(look);
    this.renderer.setGrade(grade);
    this.setFitted(true);
  }

  /** Where the look shows; without a mask, everywhere. */
  showMask(mask: HTMLCanvasElement | undefined): void {
    this.renderer.setMask(mask);
    this.draw();
  }

  clearLook(): void {
    this.renderer.setLook(NOTHING.look);
    this.renderer.setGrade(NOTHING.grade);
    this.setFitted(false);
  }

  /** Draw before the next frame is shown, however often it is asked for. */
  draw(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame((begun) => {
      this.isDue = false;
      this.drawNow();
      requestAnimationFrame((next) => this.keepPace(next - begun));
    });
  }

  private drawNow(): void {
    const { size } = this;
    if (!size) return;
    const divide = this.isFitted ? Number(this.divide.value) / 100 : 0;
    this.box.style.setProperty("--divide", `${100 * divide}%`);
    this.renderer.draw(this.settings, size, { x: 0, y: 0, ...size }, divide, this.scale);
  }

  /** Where a frame took too long, draw the next ones coarsely; once nothing moves any more, draw finely again. */
  private keepPace(milliseconds: number): void {
    if (milliseconds > SLOW_FRAME) this.scale = COARSE;
    clearTimeout(this.rest);
    if (this.scale === 1) return;
    this.rest = window.setTimeout(() => {
      this.scale = 1;
      this.drawNow();
    }, REST);
  }

  /** Apply looks to as many pixels as the screen shows, but to no more than the photo has. */
  private resize(): void {
    const { size, renderer } = this;
    if (!size || !(renderer.canvas instanceof HTMLCanvasElement)) return;
    const shown = renderer.canvas.clientWidth * devicePixelRatio;
    const scale = Math.min(1, shown / size.width, renderer.largestSide / Math.max(size.width, size.height));
    const width = Math.max(1, Math.round(scale * size.width));
    const height = Math.max(1, Math.round(scale * size.height));
    if (width === renderer.size.width && height === renderer.size.height) return;
    renderer.resize({ width, height });
    this.drawNow(); // a canvas is empty once its size has changed
  }

  private setFitted(isFitted: boolean): void {
    this.isFitted = isFitted;
    this.divide.disabled = !isFitted;
    this.box.classList.toggle("fitted", isFitted);
    this.draw();
  }
}
