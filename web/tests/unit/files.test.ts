import { strFromU8, unzipSync } from "fflate";
import { expect, test } from "vitest";
import { cubeFile } from "../../src/files/cube.ts";
import { lookFile } from "../../src/files/npz.ts";
import { averagedOverPlaces, throughMaps } from "../../src/numbers/average.ts";
import { identityLook } from "../../src/numbers/look.ts";
import { identityLut } from "../../src/numbers/lut.ts";
import { tilesOf } from "../../src/view/full_size.ts";
import { featureOf, numbers } from "./numbers.ts";

test("a look's file holds its kind, its version, its grid and its grade, as NumPy writes arrays", () => {
  const look = identityLook({ rows: 3, columns: 5, bins: 4 });
  const members = unzipSync(lookFile(look, identityLut(3), 0.25));
  expect(Object.keys(members)).toEqual(["kind.npy", "version.npy", "grid.npy", "lut.npy", "grade.npy"]);
  const grid = members["grid.npy"];
  const headerLength = 10 + grid[8] + 256 * grid[9];
  expect(headerLength % 64).toBe(0);
  expect(strFromU8(grid.subarray(10, headerLength))).toContain("'shape': (3, 5, 4, 4, 3,)");
  expect(new Float32Array(grid.slice(headerLength).buffer)).toEqual(look.maps);
});

test("in a .cube file red varies fastest", () => {
  const lines = cubeFile(identityLut(2), 'a "blue" sea').split("\n");
  expect(lines.slice(0, 2)).toEqual(['TITLE "a _blue_ sea"', "LUT_3D_SIZE 2"]);
  const nodes = lines.filter((line) => /^[01]\./.test(line));
  expect(nodes.slice(0, 3)).toEqual([
    "0.000000 0.000000 0.000000",
    "1.000000 0.000000 0.000000",
    "0.000000 1.000000 0.000000",
  ]);
});

test("the average of a look that changes nothing changes nothing", () => {
  const maps = averagedOverPlaces(identityLook({ rows: 4, columns: 6, bins: 4 }), featureOf(numbers.look.content));
  throughMaps(maps, [0.2, 0.9, 0.4]).forEach((value, c) => expect(value).toBeCloseTo([0.2, 0.9, 0.4][c], 6));
});

test("tiles cover a photo, each pixel once", () => {
  const parts = tilesOf({ width: 5000, height: 2100 }, 2048);
  expect(parts.reduce((sum, { width, height }) => sum + width * height, 0)).toBe(5000 * 2100);
  expect(Math.max(...parts.map(({ x, width }) => x + width))).toBe(5000);
  expect(Math.max(...parts.map(({ width, height }) => Math.max(width, height)))).toBe(2048);
});
