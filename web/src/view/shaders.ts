/** The two shaders: one triangle over the whole canvas, and the look applied at every pixel. */

export const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(corner * 4.0 - 1.0, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;

uniform sampler2D photo;   // the part of the photo that is drawn
uniform sampler2D mask;    // how much of the result each place of the photo takes
uniform sampler3D look;    // a texel: what red, green, blue and 1 give one new colour; bins of luma, three times over
uniform sampler3D grade;   // the colour that blue, green, red becomes
uniform vec2 canvasSize;   // pixels that are drawn
uniform vec2 partStart;    // where they begin in the photo, and how much of it they are, from 0 to 1
uniform vec2 partSize;
uniform vec2 photoSize;    // pixels of the whole photo
uniform float bins;
uniform float strength;
uniform float richness;    // 0: the grade alone, 1: the look alone
uniform float divide;      // left of it the photo is drawn as it is, from 0 to 1
out vec4 result;

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

/** Place of a node's centre in a texture, for a position that runs from 0 to 1 over the first to the last of 'nodes'. */
vec3 texel(vec3 position, vec3 nodes) {
  return (position * (nodes - 1.0) + 0.5) / nodes;
}

vec3 looked(vec3 colour, vec2 place) {
  // The first and last nodes lie on the centres of the first and last pixels.
  vec2 position = clamp((place * photoSize - 0.5) / max(photoSize - 1.0, 1.0), 0.0, 1.0);
  vec3 size = vec3(textureSize(look, 0));
  vec3 at = texel(vec3(position, dot(LUMA, colour)), vec3(size.xy, bins));
  at.z /= 3.0;
  vec4 terms = vec4(colour, 1.0);
  return vec3(
    dot(terms, texture(look, at)),
    dot(terms, texture(look, at + vec3(0.0, 0.0, 1.0 / 3.0))),
    dot(terms, texture(look, at + vec3(0.0, 0.0, 2.0 / 3.0))));
}

void main() {
  vec2 onCanvas = vec2(gl_FragCoord.x, canvasSize.y - gl_FragCoord.y) / canvasSize;
  vec2 place = partStart + partSize * onCanvas;
  vec4 before = texture(photo, onCanvas);
  result = before;
  if (place.x < divide) return;
  vec3 after = looked(before.rgb, place);
  if (richness < 1.0) {
    vec3 graded = texture(grade, texel(before.bgr, vec3(textureSize(grade, 0)))).rgb;
    after = mix(graded, after, richness);
  }
  float share = strength * texture(mask, place).r;
  result.rgb = clamp(mix(before.rgb, after, share), 0.0, 1.0);
}`;
