/** Numbers at every pixel of a picture: a feature of the network, or a photo's colours. */

export interface Feature {
  height: number;
  width: number;
  channels: number;
  /** By rows: channel `c` of pixel `(y, x)` is `values[(y * width + x) * channels + c]`. Colours are in [0, 1]. */
  values: Float32Array;
}

export function emptyFeature(height: number, width: number, channels: number): Feature {
  return { height, width, channels, values: new Float32Array(height * width * channels) };
}

/** Colours as floats, of bytes with as many channels. */
export function fromBytes(height: number, width: number, bytes: Uint8Array | Uint8ClampedArray): Feature {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < values.length; i++) values[i] = bytes[i] / 255;
  return { height, width, channels: bytes.length / (height * width), values };
}

/** The index that `index` is reflected to, the first and last of `size` not repeated; for any size. */
function reflected(index: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const within = index % period;
  return within < size ? within : period - within;
}

/** `feature` padded by reflection at the bottom and right to multiples of `stride`. */
export function padToMultiple(feature: Feature, stride: number): Feature {
  const { height, width, channels, values } = feature;
  const padded = emptyFeature(Math.ceil(height / stride) * stride, Math.ceil(width / stride) * stride, channels);
  for (let y = 0; y < padded.height; y++) {
    const from = reflected(y, height) * width * channels;
    const to = y * padded.width * channels;
    padded.values.set(values.subarray(from, from + width * channels), to);
    for (let x = width; x < padded.width; x++) {
      const mirror = from + reflected(x, width) * channels;
      for (let c = 0; c < channels; c++) padded.values[to + x * channels + c] = values[mirror + c];
    }
  }
  return padded;
}

/** The top left part of a feature. */
export function cropped(feature: Feature, height: number, width: number): Feature {
  const result = emptyFeature(height, width, feature.channels);
  const rowLength = width * feature.channels;
  for (let y = 0; y < height; y++) {
    const from = y * feature.width * feature.channels;
    result.values.set(feature.values.subarray(from, from + rowLength), y * rowLength);
  }
  return result;
}

/** `feature` less its 3x3 box mean; beyond the border the last pixel is repeated. What the decoder gets as a skip. */
export function highFrequencies(feature: Feature): Feature {
  const { height, width, channels, values } = feature;
  const result = emptyFeature(height, width, channels);
  const rowLength = width * channels;
  const ofThreeRows = new Float32Array(rowLength);
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * rowLength;
    const here = y * rowLength;
    const below = Math.min(y + 1, height - 1) * rowLength;
    for (let i = 0; i < rowLength; i++) {
      ofThreeRows[i] = values[above + i] + values[here + i] + values[below + i];
    }
    for (let i = 0; i < rowLength; i++) {
      const left = i < channels ? i : i - channels;
      const right = i + channels < rowLength ? i + channels : i;
      result.values[here + i] = values[here + i] - (ofThreeRows[left] + ofThreeRows[i] + ofThreeRows[right]) / 9;
    }
  }
  return result;
}
