import { expect, test } from "vitest";
import { colourStatistics, moments, transport } from "../../src/numbers/descriptor.ts";
import { identityLut, rising, throughLut } from "../../src/numbers/lut.ts";
import { expectClose, featureOf, numbers } from "./numbers.ts";

const { descriptor } = numbers;

test("statistics of colour are Python's", () => {
  expectClose(colourStatistics(featureOf(descriptor.content)), descriptor.statistics, 5e-3);
});

test("moments and transport are Python's", () => {
  const content = moments(featureOf(descriptor.content));
  expectClose([...content.mean, ...content.covariance.to1DArray()], descriptor.moments, 1e-6);
  expectClose(transport(content, moments(featureOf(descriptor.style))), descriptor.transport, 1e-4);
});

test("a falling grey ramp is made to rise as in Python", () => {
  const size = numbers.rising.lut.shape[0];
  const result = rising({ size, nodes: Float32Array.from(numbers.rising.lut.values) });
  expectClose(result.nodes, numbers.rising.result, 1e-3);
});

test("the identity LUT changes nothing", () => {
  const colour = throughLut(identityLut(9), [0.1, 0.55, 1]);
  [0.1, 0.55, 1].forEach((value, c) => expect(colour[c]).toBeCloseTo(value, 6));
});
