/** How much of each style: sliders, of which only the proportion counts. */
import { byId, element } from "./elements.ts";

export interface NamedStyle {
  name: string;
  thumbnail: HTMLCanvasElement;
}

export class Shares {
  private readonly box = byId("mix", HTMLElement);
  private readonly list = byId("shares", HTMLElement);
  private sliders: HTMLInputElement[] = [];

  constructor(private readonly onChange: () => void) {}

  /** Offer a share for each style; equal ones, unless there were as many styles before. */
  show(styles: NamedStyle[]): void {
    this.box.hidden = styles.length < 2;
    if (styles.length === this.sliders.length) return;
    const label = (style: NamedStyle, index: number) => {
      const slider = element("input", { type: "range", min: "0", max: "100", value: "50", id: `share-${index}` });
      slider.addEventListener("input", this.onChange);
      return { slider, row: element("div", { className: "control" }, element("label", { htmlFor: slider.id }, style.name), slider) };
    };
    const rows = styles.map(label);
    this.sliders = rows.map(({ slider }) => slider);
    this.list.replaceChildren(...rows.map(({ row }) => row));
  }

  /** From 0 to 1, together 1. */
  get values(): number[] {
    const values = this.sliders.map((slider) => Number(slider.value));
    const sum = values.reduce((total, value) => total + value, 0);
    return values.map((value) => (sum > 0 ? value / sum : 1 / values.length));
  }
}
