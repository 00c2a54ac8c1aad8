/** How much of each style: sliders, of which only the proportion counts, and for three styles a triangle. */
import { byId, element } from "./elements.ts";
import { Triangle } from "./triangle.ts";

export class Shares {
  private readonly box = byId("mix", HTMLElement);
  private readonly list = byId("shares", HTMLElement);
  private readonly triangle = new Triangle((shares) => this.take(shares));
  private sliders: HTMLInputElement[] = [];

  constructor(private readonly onChange: () => void) {}

  /** Offer a share for each style, by its name; equal ones, unless there were as many styles before. */
  show(names: string[]): void {
    this.box.hidden = names.length < 2;
    if (names.length !== this.sliders.length) {
      this.sliders = names.map((_, index) =>
        element("input", { type: "range", min: "0", max: "100", value: "50", id: `share-${index}` }),
      );
      for (const slider of this.sliders) slider.addEventListener("input", () => this.changed());
    }
    const rows = this.sliders.map((slider, index) => {
      const label = element("label", { htmlFor: slider.id }, `${index + 1}: ${names[index]}`);
      return element("div", { className: "control" }, label, slider);
    });
    this.list.replaceChildren(...(names.length === 3 ? [this.triangle.picture] : []), ...rows);
    if (names.length === 3) this.triangle.show(this.values);
  }

  /** From 0 to 1, together 1. */
  get values(): number[] {
    const values = this.sliders.map((slider) => Number(slider.value));
    const sum = values.reduce((total, value) => total + value, 0);
    return values.map((value) => (sum > 0 ? value / sum : 1 / values.length));
  }

  private changed(): void {
    if (this.sliders.length === 3) this.triangle.show(this.values);
    this.onChange();
  }

  private take(shares: number[]): void {
    this.sliders.forEach((slider, index) => (slider.value = String(100 * shares[index])));
    this.onChange();
  }
}
