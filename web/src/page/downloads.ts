/** The files that the page gives: the result, the look, the LUT. */
import type { Fitted } from "../engine/messages.ts";
import { cubeFile } from "../files/cube.ts";
import { lookFile } from "../files/npz.ts";
import { throughMaps } from "../numbers/average.ts";
import { identityLook, mixArrays, mixLooks } from "../numbers/look.ts";
import { type Colour, mixLuts, tabulated, throughLut } from "../numbers/lut.ts";
import type { Settings } from "../view/renderer.ts";

/** Points along a side of a LUT file: what editors expect. */
const LUT_SIZE = 33;

/** What is on the page: the styles' looks, how much of each, and the sliders. */
export interface Mixture {
  fitted: Fitted[];
  shares: number[];
  settings: Settings;
}

/** The look as it is seen: styles mixed, part of the grade, strength. A .npz file that the Python package reads. */
export function lookDownload({ fitted, shares, settings }: Mixture): Blob {
  const { strength, richness } = settings;
  const rich = mixLooks(
    fitted.map((style) => style.rich),
    shares,
  );
  const natural = mixLooks(
    fitted.map((style) => style.naturalLook),
    shares,
  );
  const weights = [strength * richness, strength * (1 - richness), 1 - strength];
  return new Blob([lookFile(mixLooks([rich, natural, identityLook(rich)], weights))]);
}

/** The same as a 3D LUT: exact for a grade alone; of a look, which depends on place, the average over the photo. */
export function lutDownload({ fitted, shares, settings }: Mixture, title: string): Blob {
  const { strength, richness } = settings;
  const maps = mixArrays(
    fitted.map((style) => style.richAverage),
    shares,
  );
  const grade = mixLuts(
    fitted.map((style) => style.natural),
    shares,
  );
  const lut = tabulated(LUT_SIZE, (colour) => {
    const rich = throughMaps(maps, colour);
    const natural = throughLut(grade, colour);
    return colour.map((before, c) => {
      return (1 - strength) * before + strength * (richness * rich[c] + (1 - richness) * natural[c]);
    }) as Colour;
  });
  return new Blob([cubeFile(lut, title)]);
}

/** Hand a file to the browser to save. */
export function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // long after it was read
}

/** A file's name without its ending. */
export function stem(name: string): string {
  return name.replace(/\.[^.]*$/, "") || "photo";
}
