/** A brush that says where the look shows: by pointer, or by arrow keys and the space bar. */
import type { Size } from "../view/renderer.ts";
import { byId } from "./elements.ts";

/** Longer side of the mask in pixels; it is soft, so more would not show. */
const MASK_SIDE = 512;
/** How far an arrow key moves the brush, as a share of the photo's longer side. */
const KEY_STEP = 0.02;
const SHOWN = "255, 255, 255";
const HIDDEN = "0, 0, 0";
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Brush {
  private readonly mask = document.createElement("canvas");
  private readonly surface = byId("brush", HTMLElement);
  private readonly ring = byId("ring", HTMLElement);
  private readonly isOn = byId("brush-on", HTMLInputElement);
  private readonly shows = byId("brush-shows", HTMLInputElement);
  private readonly size = byId("brush-size", HTMLInputElement);
  private readonly options = byId("brush-options", HTMLElement);
  private readonly divide = byId("divide", HTMLInputElement);
  private isTouched = false;
  /** Where the brush is, from 0 to 1 over the photo. */
  private place = { x: 0.5, y: 0.5 };

  /** `onChange` is called with the mask, or with none where nothing is hidden. */
  constructor(private readonly onChange: (mask: HTMLCanvasElement | undefined) => void) {
    this.isOn.addEventListener("change", () => this.toggle());
    this.size.addEventListener("input", () => this.showRing());
    byId("brush-clear", HTMLButtonElement).addEventListener("click", () => this.clear());
    this.surface.addEventListener("pointerdown", (event) => {
      this.surface.setPointerCapture(event.pointerId);
      this.follow(event);
      this.paint();
    });
    this.surface.addEventListener("pointermove", (event) => {
      this.follow(event);
      if (this.surface.hasPointerCapture(event.pointerId)) this.paint();
    });
    this.surface.addEventListener("keydown", (event) => this.obey(event));
    this.toggle();
  }

  /** What is hidden where; undefined where nothing is. */
  get current(): HTMLCanvasElement | undefined {
    return this.isTouched ? this.mask : undefined;
  }

  /** Begin anew, for another photo. */
  fitTo({ width, height }: Size): void {
    const scale = MASK_SIDE / Math.max(width, height);
    this.mask.width = Math.max(1, Math.round(scale * width));
    this.mask.height = Math.max(1, Math.round(scale * height));
    this.clear();
  }

  private clear(): void {
    const context = this.mask.getContext("2d");
    if (!context) return;
    context.fillStyle = `rgb(${SHOWN})`;
    context.fillRect(0, 0, this.mask.width, this.mask.height);
    this.isTouched = false;
    this.onChange(undefined);
  }

  private toggle(): void {
    this.surface.hidden = !this.isOn.checked;
    this.options.hidden = !this.isOn.checked;
    this.divide.hidden = this.isOn.checked; // one thing at a time takes the pointer
    if (this.isOn.checked) this.showRing();
  }

  private follow(event: PointerEvent): void {
    const box = this.surface.getBoundingClientRect();
    this.moveTo((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  private obey(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== " ") return;
    event.preventDefault();
    if (!arrow) return this.paint();
    const { width, height } = this.mask;
    const step = KEY_STEP * Math.max(width, height);
    this.moveTo(this.place.x + (arrow[0] * step) / width, this.place.y + (arrow[1] * step) / height);
  }

  private moveTo(x: number, y: number): void {
    const within = (share: number) => Math.min(Math.max(share, 0), 1);
    this.place = { x: within(x), y: within(y) };
    this.showRing();
  }

  /** The brush's diameter as a share of the photo's longer side. */
  private get diameter(): number {
    return Number(this.size.value) / 100;
  }

  private showRing(): void {
    const { width, height } = this.mask;
    const style = this.ring.style;
    style.setProperty("left", `${100 * this.place.x}%`);
    style.setProperty("top", `${100 * this.place.y}%`);
    style.setProperty("width", `${(100 * this.diameter * Math.max(width, height)) / width}%`);
  }

  /** A soft dab where the brush is. */
  private paint(): void {
    const context = this.mask.getContext("2d");
    if (!context) return;
    const { width, height } = this.mask;
    const [x, y] = [this.place.x * width, this.place.y * height];
    const radius = (this.diameter * Math.max(width, height)) / 2;
    const colour = this.shows.checked ? SHOWN : HIDDEN;
    const dab = context.createRadialGradient(x, y, 0, x, y, radius);
    dab.addColorStop(0, `rgba(${colour}, 1)`);
    dab.addColorStop(0.5, `rgba(${colour}, 0.8)`);
    dab.addColorStop(1, `rgba(${colour}, 0)`);
    context.fillStyle = dab;
    context.fillRect(0, 0, width, height);
    this.isTouched = true;
    this.onChange(this.mask);
  }
}
