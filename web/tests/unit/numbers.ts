/** The numbers that write_numbers.py wrote, as the page's types. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Feature } from "../../src/numbers/feature.ts";

export interface Stored {
  shape: number[];
  values: number[];
}

export const numbers = JSON.parse(readFileSync(new URL("numbers.json", import.meta.url), "utf8"));

export function featureOf({ shape, values }: Stored): Feature {
  const [height, width, channels] = shape;
  return { height, width, channels, values: Float32Array.from(values) };
}

/** The stored matrix by rows. */
export function rowsOf({ shape, values }: Stored): number[][] {
  return Array.from({ length: shape[0] }, (_, row) => values.slice(row * shape[1], (row + 1) * shape[1]));
}

/** Every number within `tolerance` of what Python has. */
export function expectClose(actual: ArrayLike<number>, { values }: Stored, tolerance = 1e-5): void {
  expect(actual.length).toBe(values.length);
  const worst = values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - actual[i])), 0);
  expect(worst).toBeLessThan(tolerance);
}
