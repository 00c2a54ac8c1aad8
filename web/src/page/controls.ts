/** The sliders and lists that say how a look is made and shown. */
import type { Backbone } from "../engine/student.ts";
import type { Transform } from "../numbers/transforms.ts";
import type { Settings } from "../view/renderer.ts";
import { byId } from "./elements.ts";

export class Controls {
  private readonly strength = byId("strength", HTMLInputElement);
  private readonly richness = byId("richness", HTMLInputElement);
  private readonly transformList = byId("transform", HTMLSelectElement);
  private readonly backboneList = byId("backbone", HTMLSelectElement);

  /**
   * @param onSettings called as a slider moves; the look need not be made anew
   * @param onMethod called when it does
   */
  constructor(onSettings: () => void, onMethod: () => void) {
    for (const slider of [this.strength, this.richness]) {
      const output = byId(`${slider.id}-value`, HTMLOutputElement);
      const show = () => (output.textContent = `${slider.value} %`);
      show(); // a browser may have kept the value over a reload
      slider.addEventListener("input", () => {
        show();
        onSettings();
      });
    }
    for (const list of [this.transformList, this.backboneList]) list.addEventListener("change", onMethod);
  }

  get settings(): Settings {
    return { strength: Number(this.strength.value) / 100, richness: Number(this.richness.value) / 100 };
  }

  get transform(): Transform {
    return this.transformList.value as Transform;
  }

  get backbone(): Backbone {
    return this.backboneList.value as Backbone;
  }
}
