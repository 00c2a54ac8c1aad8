/** The shaders: one triangle over all pixels, the look applied to each of them, and the sliders' mixture. */

export const TRIANGLE = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(corner * 4.0 - 1.0, 0.0, 1.0);
}`;

/** Once for every look: the photo at the canvas's size, the same through the look, and through the grade. */
export const APPLY = `#version 300 es
precision highp float;
precision highp sampler3D;

uniform sampler2D photo;   // the part of the photo that is drawn
uniform sampler3D look;    // a texel: what red, green, blue and 1 give one new colour; bins of luma, three times over
uniform sampler3D grade;   // the colour that blue, green, red becomes
uniform vec2 canvasSize;   // pixels that are drawn
uniform vec2 photoSize;    // pixels of the whole photo
uniform vec2 partStart;    // pixels of it where the part begins, and of the part
uniform vec2 partSize;
layout(location = 0) out vec4 before;
layout(location = 1) out vec4 rich;
layout(location = 2) out vec4 natural;

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

/** A place in a texture, for a position that runs from 0 to 1 over the centres of the first to the last of its texels. */
vec3 between(vec3 position, vec3 texels) {
  return (position * (texels - 1.0) + 0.5) / texels;
}

vec3 looked(vec3 colour, vec2 pixel) {
  vec2 position = pixel / max(photoSize - 1.0, 1.0);
  vec3 size = vec3(textureSize(look, 0));
  vec3 at = between(vec3(position, dot(LUMA, colour)), vec3(size.xy, size.z / 3.0));
  vec4 terms = vec4(colour, 1.0);
  return vec3(
    dot(terms, texture(look, vec3(at.xy, at.z / 3.0))),
    dot(terms, texture(look, vec3(at.xy, (at.z + 1.0) / 3.0))),
    dot(terms, texture(look, vec3(at.xy, (at.z + 2.0) / 3.0))));
}

void main() {
  vec2 onCanvas = gl_FragCoord.xy / canvasSize;
  before = texture(photo, onCanvas);
  vec2 pixel = partStart + partSize * onCanvas - 0.5;
  rich = vec4(looked(before.rgb, clamp(pixel, vec2(0.0), photoSize - 1.0)), before.a);
  natural = vec4(texture(grade, between(before.bgr, vec3(textureSize(grade, 0)))).rgb, before.a);
}`;

/** Whenever a slider moves: of the photo, the look's result and the grade's so much of each. */
export const MIX = `#version 300 es
precision highp float;

uniform sampler2D before;
uniform sampler2D rich;
uniform sampler2D natural;
uniform sampler2D mask;    // how much of the result each place takes
uniform bool isMasked;
uniform vec2 canvasSize;   // pixels that are drawn: as many as the first pass drew, or fewer
uniform vec2 partStart;    // where they begin in the photo, and how much of it they are, from 0 to 1
uniform vec2 partSize;
uniform float strength;
uniform float richness;    // 0: the grade alone, 1: the look alone
uniform float divide;      // left of it the photo is drawn as it is, from 0 to 1
out vec4 result;

void main() {
  vec2 onCanvas = vec2(gl_FragCoord.x, canvasSize.y - gl_FragCoord.y) / canvasSize;
  vec2 place = partStart + partSize * onCanvas;
  result = texture(before, onCanvas);
  if (place.x < divide) return;
  vec3 after = texture(rich, onCanvas).rgb;
  if (richness < 1.0) after = mix(texture(natural, onCanvas).rgb, after, richness);
  float share = isMasked ? strength * texture(mask, place).r : strength;
  result.rgb = mix(result.rgb, after, share);
}`;
