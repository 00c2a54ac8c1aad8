/** A pair of shaders, ready to draw. */

export type Pair = [number, number];

export class Program {
  private readonly program: WebGLProgram;
  private readonly locations = new Map<string, WebGLUniformLocation | null>();

  /** `textures` says which unit each of the shader's textures is bound to. */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    vertex: string,
    fragment: string,
    textures: Record<string, number>,
  ) {
    this.program = linked(gl, vertex, fragment);
    gl.useProgram(this.program);
    for (const [name, unit] of Object.entries(textures)) gl.uniform1i(this.location(name), unit);
  }

  /** Draw with uniforms that are numbers, or pairs of them. */
  draw(uniforms: Record<string, number | Pair>): void {
    const { gl } = this;
    gl.useProgram(this.program);
    for (const [name, value] of Object.entries(uniforms)) {
      const location = this.location(name);
      if (typeof value === "number") gl.uniform1f(location, value);
      else gl.uniform2fv(location, value);
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private location(name: string): WebGLUniformLocation | null {
    if (!this.locations.has(name)) this.locations.set(name, this.gl.getUniformLocation(this.program, name));
    return this.locations.get(name) ?? null;
  }
}

function linked(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  const shaders = [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const;
  for (const [kind, source] of shaders) {
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
