/** A look without its places: one map for each bin of luma. A 3D LUT can hold no more. */
import type { Feature } from "./feature.ts";
import { gridPosition, type Look, lumaOf, MAP_LENGTH } from "./look.ts";
import type { Colour } from "./lut.ts";

/** Keeps bins that no pixel lies in at the plain mean over all places. */
const FEW = 1e-3;

/** Maps of all places averaged, each counting as much as there are pixels of its luma there; `bins` times 12 numbers. */
export function averagedOverPlaces(look: Look, content: Feature): Float32Array {
  const { rows, columns, bins, maps } = look;
  const counts = new Float64Array(rows * columns * bins).fill(FEW);
  for (let y = 0; y < content.height; y++) {
    const row = Math.round(gridPosition(y, content.height, rows)) * columns;
    for (let x = 0; x < content.width; x++) {
      const from = (y * content.width + x) * 3;
      const [red, green, blue] = content.values.subarray(from, from + 3);
      const position = lumaOf(red, green, blue) * (bins - 1);
      const bin = Math.min(Math.floor(position), bins - 2);
      const cell = (row + Math.round(gridPosition(x, content.width, columns))) * bins + bin;
      counts[cell] += 1 - (position - bin);
      counts[cell + 1] += position - bin;
    }
  }
  const sums = new Float64Array(bins * MAP_LENGTH);
  const totals = new Float64Array(bins);
  counts.forEach((count, cell) => {
    const bin = cell % bins;
    totals[bin] += count;
    for (let i = 0; i < MAP_LENGTH; i++) sums[bin * MAP_LENGTH + i] += count * maps[cell * MAP_LENGTH + i];
  });
  return Float32Array.from(sums, (sum, i) => sum / totals[Math.floor(i / MAP_LENGTH)]);
}

/** A colour through such maps, interpolated between the two bins around its luma. */
export function throughMaps(maps: Float32Array, colour: Colour): Colour {
  const bins = maps.length / MAP_LENGTH;
  const position = lumaOf(...colour) * (bins - 1);
  const bin = Math.min(Math.floor(position), bins - 2);
  const share = position - bin;
  const terms = [...colour, 1];
  const result: Colour = [0, 0, 0];
  for (let c = 0; c < 3; c++) {
    terms.forEach((term, i) => {
      const from = bin * MAP_LENGTH + 3 * i + c;
      result[c] += term * ((1 - share) * maps[from] + share * maps[from + MAP_LENGTH]);
    });
  }
  return result;
}
