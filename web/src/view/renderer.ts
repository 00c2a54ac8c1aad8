/** Draws a photo through a look on a canvas, by WebGL 2. */
import { type Look, MAP_LENGTH } from "../numbers/look.ts";
import type { Lut } from "../numbers/lut.ts";
import { FRAGMENT, VERTEX } from "./shaders.ts";

/** What the sliders say, each from 0 to 1. */
export interface Settings {
  strength: number;
  /** 0: the learned grade alone, 1: all that the student sees. */
  richness: number;
}

/** A rectangle of a photo, in its pixels. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Picture = ImageBitmap | HTMLVideoElement;

const UNITS = { photo: 0, look: 1, grade: 2, mask: 3 } as const;

export class Renderer {
  /** Pixels along a side of the largest picture that can be given or drawn at once. */
  readonly largestSide: number;
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly locations = new Map<string, WebGLUniformLocation | null>();

  /** @throws Error, a sentence for the user, where the browser has no WebGL 2. */
  constructor(readonly canvas: HTMLCanvasElement | OffscreenCanvas) {
    const gl = canvas.getContext("webgl2", { premultipliedAlpha: false, antialias: false, depth: false }) as WebGL2RenderingContext | null;
    if (!gl) throw new Error("This browser has no WebGL 2, which the page needs to show results. Try a current Firefox, Chrome or Safari.");
    this.gl = gl;
    this.largestSide = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.program = linked(gl, VERTEX, FRAGMENT);
    gl.useProgram(this.program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (const [name, unit] of Object.entries(UNITS)) {
      gl.uniform1i(this.location(name), unit);
      const is3D = unit === UNITS.look || unit === UNITS.grade;
      prepareTexture(gl, unit, is3D ? gl.TEXTURE_3D : gl.TEXTURE_2D);
    }
    this.setMask();
  }

  setPhoto(picture: Picture): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + UNITS.photo);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  }

  setLook(look: Look): void {
    const { gl } = this;
    const { rows, columns, bins } = look;
    gl.activeTexture(gl.TEXTURE0 + UNITS.look);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGBA16F, columns, rows, 3 * bins, 0, gl.RGBA, gl.FLOAT, texelsOf(look));
    gl.uniform1f(this.location("bins"), bins);
  }

  setGrade({ size, nodes }: Lut): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + UNITS.grade);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB16F, size, size, size, 0, gl.RGB, gl.FLOAT, nodes);
  }

  /** Where the result shows: a picture whose red is the share; without one, everywhere. */
  setMask(mask?: HTMLCanvasElement): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + UNITS.mask);
    if (mask) gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, gl.RED, gl.UNSIGNED_BYTE, mask);
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, 1, 1, 0, gl.RED, gl.UNSIGNED_BYTE, new Uint8Array([255]));
  }

  /**
   * Draw the picture that was set.
   *
   * @param size pixels of the whole photo
   * @param part which part of it the picture is
   * @param divide left of it, from 0 to 1, the photo is drawn as it was
   */
  draw(settings: Settings, size: Size, part: Part = { x: 0, y: 0, ...size }, divide = 0): void {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniform2f(this.location("canvasSize"), canvas.width, canvas.height);
    gl.uniform2f(this.location("photoSize"), size.width, size.height);
    gl.uniform2f(this.location("partStart"), part.x / size.width, part.y / size.height);
    gl.uniform2f(this.location("partSize"), part.width / size.width, part.height / size.height);
    gl.uniform1f(this.location("strength"), settings.strength);
    gl.uniform1f(this.location("richness"), settings.richness);
    gl.uniform1f(this.location("divide"), divide);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Give the graphics card's memory back. */
  release(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private location(name: string): WebGLUniformLocation | null {
    if (!this.locations.has(name)) this.locations.set(name, this.gl.getUniformLocation(this.program, name));
    return this.locations.get(name) ?? null;
  }
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

function prepareTexture(gl: WebGL2RenderingContext, unit: number, target: GLenum): void {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(target, gl.createTexture());
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(target, wrap, gl.CLAMP_TO_EDGE);
}

function linked(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error("The graphics card gives no shader. Reload the page.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`The graphics card does not take the page's shader: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}
