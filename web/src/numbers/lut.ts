/** 3D LUTs: one map from colour to colour, tabulated on a regular grid of the RGB cube, trilinear between its nodes. */
import { mixArrays } from "./look.ts";

/** Luminance of RGB (Rec. 709). */
const LUMA = [0.2126, 0.7152, 0.0722] as const;
/** Steps that a grey ramp is looked at in; those of 8 bits. */
const RAMP_STEPS = 256;
/** A ramp falls where it does so by more than this: rounding of float32. */
const ROUNDING = 1e-6;
/** Halvings of the interval in which the largest strength without falling greys is looked for. */
const TRIES = 16;

export interface Lut {
  size: number;
  /** `nodes[((r * size + g) * size + b) * 3 + c]`: what colour (r, g, b) / (size - 1) becomes. May lie beyond [0, 1]. */
  nodes: Float32Array;
}

export type Colour = [number, number, number];

/** The LUT whose node at a colour is `colourMap` of it. */
export function tabulated(size: number, colourMap: (colour: Colour) => Colour): Lut {
  const nodes = new Float32Array(size ** 3 * 3);
  let at = 0;
  for (let r = 0; r < size; r++) {
    for (let g = 0; g < size; g++) {
      for (let b = 0; b < size; b++, at += 3) {
        nodes.set(colourMap([r / (size - 1), g / (size - 1), b / (size - 1)]), at);
      }
    }
  }
  return { size, nodes };
}

export function identityLut(size: number): Lut {
  return tabulated(size, (colour) => colour);
}

/** The weighted sum of LUTs of one size. */
export function mixLuts(luts: readonly Lut[], weights: readonly number[]): Lut {
  return {
    size: luts[0].size,
    nodes: mixArrays(
      luts.map((lut) => lut.nodes),
      weights,
    ),
  };
}

/** A colour in [0, 1] through a LUT, clipped to [0, 1]. */
export function throughLut(lut: Lut, colour: Colour): Colour {
  const last = lut.size - 1;
  const corners = colour.map((value) => Math.min(Math.floor(clip(value) * last), last - 1));
  const shares = colour.map((value, c) => clip(value) * last - corners[c]);
  const result: Colour = [0, 0, 0];
  for (let corner = 0; corner < 8; corner++) {
    const steps = [corner >> 2, (corner >> 1) & 1, corner & 1];
    const [r, g, b] = corners.map((low, c) => low + steps[c]);
    const weight = shares.reduce((product, share, c) => product * (steps[c] ? share : 1 - share), 1);
    const from = ((r * lut.size + g) * lut.size + b) * 3;
    for (let c = 0; c < 3; c++) result[c] += weight * lut.nodes[from + c];
  }
  return [clip(result[0]), clip(result[1]), clip(result[2])];
}

function clip(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** Whether the luma of a grey ramp falls anywhere. */
function falls(lut: Lut): boolean {
  let last = -Infinity;
  for (let step = 0; step < RAMP_STEPS; step++) {
    const grey = step / (RAMP_STEPS - 1);
    const [red, green, blue] = throughLut(lut, [grey, grey, grey]);
    const luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
    if (luma < last - ROUNDING) return true;
    last = luma;
  }
  return false;
}

/** `lut` with as much of the identity mixed in as makes a grey ramp rise: none, where it does already. */
export function rising(lut: Lut): Lut {
  if (!falls(lut)) return lut;
  const identity = identityLut(lut.size);
  const mixed = (strength: number) => mixLuts([lut, identity], [strength, 1 - strength]);
  let good = 0;
  let bad = 1;
  for (let i = 0; i < TRIES; i++) {
    const middle = (good + bad) / 2;
    if (falls(mixed(middle))) bad = middle;
    else good = middle;
  }
  return mixed(good);
}
