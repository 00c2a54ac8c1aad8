/** What is on the page: the styles' looks, how much of each, and the sliders. */
import type { Fitted } from "../engine/messages.ts";
import { type Look, mixLooks } from "../numbers/look.ts";
import { type Lut, mixLuts } from "../numbers/lut.ts";
import type { Settings } from "../view/renderer.ts";

export interface Mixture {
  fitted: Fitted[];
  /** Of each style, together 1. */
  shares: number[];
  settings: Settings;
}

/** The styles' looks in their shares. */
export function mixedLook({ fitted, shares }: Mixture): Look {
  const looks = fitted.map(({ rich }) => rich);
  return mixLooks(looks, shares);
}

/** The styles' grades in their shares. */
export function mixedGrade({ fitted, shares }: Mixture): Lut {
  const grades = fitted.map(({ natural }) => natural);
  return mixLuts(grades, shares);
}
