/** A photo made smaller by averaging areas, as OpenCV's INTER_AREA does, a strip of rows at a time. */

/** Longer side, in pixels, of the copy that the network sees. */
export const COPY_SIDE = 1024;

/** Rows that are read at a time: a photo of 24 megapixels need not lie in memory as bytes. */
const STRIP = 128;

/** The size of a photo whose longer side is at most `side`. */
export function shrunkSize(height: number, width: number, side: number): { height: number; width: number } {
  const scale = side / Math.max(height, width);
  if (scale >= 1) return { height, width };
  return { height: Math.max(1, Math.round(scale * height)), width: Math.max(1, Math.round(scale * width)) };
}

/** The pixels from `first` on that one new pixel covers, and how much of each. */
interface Coverage {
  first: number;
  weights: number[];
}

function coverages(from: number, to: number): Coverage[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, index) => {
    const start = index * scale;
    const end = Math.min(start + scale, from);
    const first = Math.floor(start);
    const weights = [];
    for (let i = first; i < end; i++) {
      weights.push((Math.min(i + 1, end) - Math.max(i, start)) / (end - start));
    }
    return { first, weights };
  });
}

/**
 * RGB bytes of a photo, shrunk.
 *
 * `readRows(start, count)` gives RGBA bytes of so many rows of the photo; it is called from the top down.
 */
export function shrink(
  from: { height: number; width: number },
  to: { height: number; width: number },
  readRows: (start: number, count: number) => Uint8ClampedArray | Uint8Array,
): Uint8ClampedArray {
  const columns = coverages(from.width, to.width);
  const narrow = new Float32Array(to.width * 3);
  const result = new Uint8ClampedArray(to.height * to.width * 3);
  let strip: Uint8ClampedArray | Uint8Array = new Uint8Array();
  let stripStart = 0;
  let stripEnd = 0;
  coverages(from.height, to.height).forEach(({ first, weights }, y) => {
    const sums = new Float32Array(to.width * 3);
    weights.forEach((weight, offset) => {
      const row = first + offset;
      if (row >= stripEnd) {
        stripStart = row;
        stripEnd = Math.min(row + STRIP, from.height);
        strip = readRows(stripStart, stripEnd - stripStart);
      }
      narrowRow(strip, (row - stripStart) * from.width * 4, columns, narrow);
      for (let i = 0; i < sums.length; i++) sums[i] += weight * narrow[i];
    });
    result.set(sums, y * to.width * 3); // rounded by the array
  });
  return result;
}

/** One row of RGBA bytes, from `offset` on, averaged over `columns` into RGB. */
function narrowRow(bytes: Uint8ClampedArray | Uint8Array, offset: number, columns: Coverage[], into: Float32Array): void {
  columns.forEach(({ first, weights }, x) => {
    let red = 0;
    let green = 0;
    let blue = 0;
    let from = offset + first * 4;
    for (let i = 0; i < weights.length; i++, from += 4) {
      const weight = weights[i];
      red += weight * bytes[from];
      green += weight * bytes[from + 1];
      blue += weight * bytes[from + 2];
    }
    into[3 * x] = red;
    into[3 * x + 1] = green;
    into[3 * x + 2] = blue;
  });
}
