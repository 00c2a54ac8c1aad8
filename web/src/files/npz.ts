/** A look as NumPy's .npz file, which the Python package reads: `Look.load(path)`. */
import { strToU8, zipSync } from "fflate";
import type { Look } from "../numbers/look.ts";
import type { Lut } from "../numbers/lut.ts";

/** Of the file: its kind, and the version of its layout; as in common/transfer/look.py. */
const KIND = "look";
const VERSION = 2;
/** NumPy wants an array's numbers to begin at a multiple of this. */
const ALIGNMENT = 64;

/** A look, a grade for the whole photo, and the share of the result that is the grade's, from 0 to 1. */
export function lookFile(look: Look, lut: Lut, grade: number): Uint8Array<ArrayBuffer> {
  const { rows, columns, bins, maps } = look;
  return zipSync(
    {
      "kind.npy": npy(`<U${KIND.length}`, [], utf32(KIND)),
      "version.npy": npy("<i8", [], new BigInt64Array([BigInt(VERSION)])),
      "grid.npy": npy("<f4", [rows, columns, bins, 4, 3], maps),
      "lut.npy": npy("<f4", [lut.size, lut.size, lut.size, 3], lut.nodes),
      "grade.npy": npy("<f8", [], new Float64Array([grade])),
    },
    { level: 0 },
  ) as Uint8Array<ArrayBuffer>;
}

/** An array in NumPy's format, version 1.0; all machines that browsers run on are little-endian. */
function npy(type: string, shape: number[], values: ArrayBufferView): Uint8Array {
  const shapeText = `(${shape.map((side) => `${side},`).join(" ")})`;
  const fields = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shapeText}, }`;
  const prefix = 10; // magic, version, length of the header
  const length = Math.ceil((prefix + fields.length + 1) / ALIGNMENT) * ALIGNMENT - prefix;
  const header = strToU8(`${fields.padEnd(length - 1)}\n`);
  const file = new Uint8Array(prefix + length + values.byteLength);
  file.set([0x93, ...strToU8("NUMPY"), 1, 0, length & 255, length >> 8]);
  file.set(header, prefix);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), prefix + length);
  return file;
}

function utf32(text: string): Uint32Array {
  return Uint32Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
}
