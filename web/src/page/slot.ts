/** A place for one photo: choose a file, drop one on it, or remove it. */
import { element } from "./elements.ts";
import type { Photo } from "./photo.ts";

export class Slot {
  readonly box: HTMLElement;
  photo: Photo | undefined;
  private arrivals = 0;
  private readonly input = element("input", { type: "file", className: "file" });
  private readonly picture = element("span", { className: "picture" });
  private readonly caption = element("span", { className: "caption" });
  private readonly remove = element("button", { type: "button", className: "quiet", textContent: "Remove", hidden: true });

  /**
   * @param title what kind of photo belongs here
   * @param accepted what the browser's file dialogue offers
   * @param onFile called with a file that was chosen or dropped here
   * @param onRemove called when the photo was taken away; undefined: it can only be replaced
   */
  constructor(
    readonly title: string,
    accepted: string,
    onFile: (file: File) => void,
    private readonly onRemove?: () => void,
  ) {
    const label = element("label", { className: "choose" }, this.picture, this.caption, this.input);
    this.box = element("div", { className: "slot" }, label, this.remove);
    this.input.accept = accepted;
    this.show(undefined);
    this.input.addEventListener("change", () => {
      const file = this.input.files?.[0];
      if (file) onFile(file);
      this.input.value = ""; // the same file can be chosen again
    });
    this.remove.addEventListener("click", () => {
      this.show(undefined);
      this.input.focus();
      onRemove?.();
    });
  }

  /** Say that a photo is on its way here; what is given back tells whether it is still the latest. */
  expect(): () => boolean {
    const arrival = ++this.arrivals;
    return () => arrival === this.arrivals;
  }

  show(photo: Photo | undefined): void {
    this.photo = photo;
    this.box.classList.toggle("filled", Boolean(photo));
    this.picture.replaceChildren(...(photo ? [photo.thumbnail] : []));
    this.caption.textContent = photo ? `${this.title}: ${photo.name}` : this.title;
    this.remove.hidden = !photo || !this.onRemove;
    this.remove.setAttribute("aria-label", `Remove ${this.title.toLowerCase()}`);
  }

  hasFocus(): boolean {
    return this.box.contains(document.activeElement);
  }
}
