/** A triangle to drag in: the nearer a corner, the more of that style. Sliders beside it do the same by keyboard. */

type Point = [number, number];

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 200;
const HEIGHT = 174;
const MARGIN = 22; // for the corners' names and half the handle
const CORNERS: Point[] = [
  [WIDTH / 2, 0],
  [0, HEIGHT],
  [WIDTH, HEIGHT],
];
/** Where a corner's name stands, from the corner. */
const NAME_OFFSETS: Point[] = [
  [0, -8],
  [-12, 14],
  [12, 14],
];

export class Triangle {
  readonly picture = shape("svg", {
    viewBox: `${-MARGIN} ${-MARGIN} ${WIDTH + 2 * MARGIN} ${HEIGHT + 2 * MARGIN}`,
    class: "triangle",
  });
  private readonly handle = shape("circle", { r: 9 });

  /** `onMove` is called with the shares of the three styles, together 1, while the handle is dragged. */
  constructor(private readonly onMove: (shares: number[]) => void) {
    const names = CORNERS.map(([x, y], index) => {
      const [right, down] = NAME_OFFSETS[index];
      const name = shape("text", { x: x + right, y: y + down });
      name.textContent = String(index + 1);
      return name;
    });
    const outline = shape("polygon", { points: CORNERS.map((corner) => corner.join()).join(" ") });
    this.picture.setAttribute("aria-hidden", "true"); // the sliders are what a screen reader gets
    this.picture.append(outline, ...names, this.handle);
    this.picture.addEventListener("pointerdown", (event) => {
      this.picture.setPointerCapture(event.pointerId);
      this.follow(event);
    });
    this.picture.addEventListener("pointermove", (event) => {
      if (this.picture.hasPointerCapture(event.pointerId)) this.follow(event);
    });
  }

  show(shares: number[]): void {
    const [x, y] = [0, 1].map((axis) => shares.reduce((sum, share, index) => sum + share * CORNERS[index][axis], 0));
    this.handle.setAttribute("cx", String(x));
    this.handle.setAttribute("cy", String(y));
  }

  private follow(event: PointerEvent): void {
    const box = this.picture.getBoundingClientRect();
    const scale = (WIDTH + 2 * MARGIN) / box.width;
    const shares = sharesAt([(event.clientX - box.left) * scale - MARGIN, (event.clientY - box.top) * scale - MARGIN]);
    this.show(shares);
    this.onMove(shares);
  }
}

/** The barycentric coordinates of a point; one outside counts as its neighbour on the border. */
export function sharesAt([x, y]: Point): number[] {
  const first = 1 - y / HEIGHT;
  const third = x / WIDTH - first / 2;
  const shares = [first, 1 - first - third, third].map((share) => Math.max(share, 0));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

function shape<Name extends "svg" | "circle" | "polygon" | "text">(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const created = document.createElementNS(NAMESPACE, name) as SVGElementTagNameMap[Name];
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, String(value));
  return created;
}
