/**
 * Draws a photo through a look on a canvas, by WebGL 2, in two passes: look and grade are applied to every pixel once; then
 * each move of a slider only mixes what there is, which is quick even where no graphics card helps.
 */
import { type Look, MAP_LENGTH } from "../numbers/look.ts";
import type { Lut } from "../numbers/lut.ts";
import { type Pair, Program } from "./program.ts";
import { APPLY, MIX, TRIANGLE } from "./shaders.ts";

/** What the sliders say, each from 0 to 1. */
export interface Settings {
  strength: number;
  /** 0: the learned grade alone, 1: all that the student sees. */
  richness: number;
}

export interface Size {
  width: number;
  height: number;
}

/** A rectangle of a photo, in its pixels. */
export interface Part extends Size {
  x: number;
  y: number;
}

export type Picture = ImageBitmap | HTMLVideoElement;

const NO_WEBGL =
  "This browser has no WebGL 2, which the page needs to show results. Try a current Firefox, Chrome or Safari.";
/** The unit that each texture is bound to. */
const UNITS = { photo: 0, look: 1, grade: 2, before: 3, rich: 4, natural: 5, mask: 6 } as const;
type Unit = keyof typeof UNITS;
/** What the first pass draws, at the canvas's size. */
const RESULTS: Unit[] = ["before", "rich", "natural"];

export class Renderer {
  /** Pixels along a side of the largest picture that can be drawn at once. */
  readonly largestSide: number;
  /** Pixels that look and grade are applied to. */
  size: Size = { width: 1, height: 1 };
  private readonly gl: WebGL2RenderingContext;
  private readonly apply: Program;
  private readonly mix: Program;
  private readonly results: WebGLFramebuffer;
  private isMasked = false;
  private isApplied = false;

  /** @throws Error, a sentence for the user, where the browser has no WebGL 2. */
  constructor(readonly canvas: HTMLCanvasElement | OffscreenCanvas) {
    const gl = canvas.getContext("webgl2", {
      premultipliedAlpha: false,
      antialias: false,
      depth: false,
    }) as WebGL2RenderingContext | null;
    if (!gl) throw new Error(NO_WEBGL);
    this.gl = gl;
    this.largestSide = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const { photo, look, grade, before, rich, natural, mask } = UNITS;
    this.apply = new Program(gl, TRIANGLE, APPLY, { photo, look, grade });
    this.mix = new Program(gl, TRIANGLE, MIX, { before, rich, natural, mask });
    for (const unit of [...RESULTS, "photo", "mask"] as const) this.prepare(unit, gl.TEXTURE_2D);
    for (const unit of ["look", "grade"] as const) this.prepare(unit, gl.TEXTURE_3D);
    this.results = this.framebuffer(RESULTS);
    this.resize(this.size);
  }

  /** Apply look and grade to so many pixels from now on. */
  resize({ width, height }: Size): void {
    const { gl } = this;
    this.size = { width, height };
    for (const unit of RESULTS) {
      this.choose(unit);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    }
    this.isApplied = false;
  }

  /** Take pictures and draw in this colour space, from the next picture on. */
  setColorSpace(colorSpace: PredefinedColorSpace): void {
    this.gl.unpackColorSpace = colorSpace;
    this.gl.drawingBufferColorSpace = colorSpace;
  }

  setPhoto(picture: Picture): void {
    const { gl } = this;
    this.choose("photo");
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    this.isApplied = false;
  }

  setLook(look: Look): void {
    const { gl } = this;
    const { rows, columns, bins } = look;
    this.choose("look");
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGBA16F, columns, rows, 3 * bins, 0, gl.RGBA, gl.FLOAT, texelsOf(look));
    this.isApplied = false;
  }

  setGrade({ size, nodes }: Lut): void {
    const { gl } = this;
    this.choose("grade");
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB16F, size, size, size, 0, gl.RGB, gl.FLOAT, nodes);
    this.isApplied = false;
  }

  /** Where the result shows: a picture whose red is the share; without one, everywhere. */
  setMask(mask: HTMLCanvasElement | undefined): void {
    const { gl } = this;
    this.isMasked = Boolean(mask);
    if (!mask) return;
    this.choose("mask");
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, gl.RED, gl.UNSIGNED_BYTE, mask);
  }

  /**
   * Draw the picture that was set, on the whole canvas.
   *
   * @param size pixels of the whole photo
   * @param part which part of it the picture is
   * @param divide left of it, from 0 to 1, the photo is drawn as it was
   * @param scale how large the canvas is beside the pixels that the look is applied to: 1, or less to draw faster
   */
  draw(settings: Settings, size: Size, part: Part, divide = 0, scale = 1): void {
    if (!this.isApplied) this.applyLook(size, part);
    const { gl, canvas } = this;
    const width = Math.ceil(scale * this.size.width);
    const height = Math.ceil(scale * this.size.height);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    gl.viewport(0, 0, width, height);
    this.mix.draw({
      ...settings,
      divide,
      canvasSize: [width, height],
      partStart: [part.x / size.width, part.y / size.height],
      partSize: [part.width / size.width, part.height / size.height],
      isMasked: Number(this.isMasked),
    });
  }

  private applyLook(size: Size, part: Part): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.results);
    gl.viewport(0, 0, this.size.width, this.size.height);
    const photo = { photoSize: pair(size), partStart: [part.x, part.y] as Pair, partSize: pair(part) };
    this.apply.draw({ canvasSize: pair(this.size), ...photo });
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this.isApplied = true;
  }

  /** Give the graphics card's memory back. */
  release(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private choose(unit: Unit): void {
    this.gl.activeTexture(this.gl.TEXTURE0 + UNITS[unit]);
  }

  private prepare(unit: Unit, target: GLenum): void {
    const { gl } = this;
    this.choose(unit);
    gl.bindTexture(target, gl.createTexture());
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, gl.LINEAR);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R])
      gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  }

  /** What draws into the textures of some units. */
  private framebuffer(units: Unit[]): WebGLFramebuffer {
    const { gl } = this;
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    const attachments = units.map((unit, index) => {
      this.choose(unit);
      const texture: WebGLTexture | null = gl.getParameter(gl.TEXTURE_BINDING_2D);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + index, gl.TEXTURE_2D, texture, 0);
      return gl.COLOR_ATTACHMENT0 + index;
    });
    gl.drawBuffers(attachments);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return framebuffer;
  }
}

function pair({ width, height }: Size): Pair {
  return [width, height];
}

/** A look as texels `(channel and bin, row, column)` of four numbers: a channel's share of red, green, blue and 1. */
function texelsOf({ rows, columns, bins, maps }: Look): Float32Array {
  const texels = new Float32Array(maps.length);
  let to = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let bin = 0; bin < bins; bin++) {
      for (let cell = 0; cell < rows * columns; cell++) {
        const from = (cell * bins + bin) * MAP_LENGTH + channel;
        for (let input = 0; input < 4; input++) texels[to++] = maps[from + 3 * input];
      }
    }
  }
  return texels;
}
