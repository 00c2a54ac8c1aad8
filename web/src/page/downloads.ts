/** The files that the page gives: the result, the look, the LUT. */
import { cubeFile } from "../files/cube.ts";
import { lookFile } from "../files/npz.ts";
import { throughMaps } from "../numbers/average.ts";
import { identityLook, mixArrays, mixLooks } from "../numbers/look.ts";
import { type Colour, identityLut, mixLuts, tabulated, throughLut } from "../numbers/lut.ts";
import { type Mixture, mixedGrade, mixedLook } from "./mixture.ts";

/** Points along a side of a LUT file: what editors expect. */
const LUT_SIZE = 33;

/** The look as it is seen: styles mixed, part of the grade, strength. A .npz file that the Python package reads. */
export function lookDownload(mixture: Mixture): Blob {
  const { strength, richness } = mixture.settings;
  const look = mixedLook(mixture);
  const grade = mixedGrade(mixture);
  const weights = [strength, 1 - strength];
  const weakerLook = mixLooks([look, identityLook(look)], weights);
  const weakerGrade = mixLuts([grade, identityLut(grade.size)], weights);
  return new Blob([lookFile(weakerLook, weakerGrade, 1 - richness)]);
}

/** The same as a 3D LUT: exact for a grade alone; of a look, which depends on place, the average over the photo. */
export function lutDownload(mixture: Mixture, title: string): Blob {
  const { strength, richness } = mixture.settings;
  const averages = mixture.fitted.map(({ richAverage }) => richAverage);
  const maps = mixArrays(averages, mixture.shares);
  const grade = mixedGrade(mixture);
  const lut = tabulated(LUT_SIZE, (colour) => {
    const rich = throughMaps(maps, colour);
    const natural = throughLut(grade, colour);
    const after = rich.map((value, c) => richness * value + (1 - richness) * natural[c]);
    return colour.map((before, c) => (1 - strength) * before + strength * after[c]) as Colour;
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
