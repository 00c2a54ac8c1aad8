/** Adobe's .cube files: 3D LUTs as text. */
import type { Lut } from "../numbers/lut.ts";

/** The format knows plain ASCII, and ends a title at a quotation mark. */
const NOT_IN_TITLES = /[^ !#-~]/g;

export function cubeFile({ size, nodes }: Lut, title: string): string {
  const lines = [
    `TITLE "${title.replace(NOT_IN_TITLES, "_")}"`,
    `LUT_3D_SIZE ${size}`,
    "DOMAIN_MIN 0 0 0",
    "DOMAIN_MAX 1 1 1",
  ];
  for (let b = 0; b < size; b++) {
    for (let g = 0; g < size; g++) {
      for (let r = 0; r < size; r++) {
        const from = ((r * size + g) * size + b) * 3; // red varies fastest in the file
        lines.push(Array.from(nodes.subarray(from, from + 3), written).join(" "));
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

function written(value: number): string {
  return Math.min(Math.max(value, 0), 1).toFixed(6);
}
