/** The page: photos come in, a look is made of them, sliders change how it is shown, files go out. */
import { Engine, Superseded } from "../engine/client.ts";
import type { Fitted } from "../engine/messages.ts";
import { fullSizeResult } from "../view/full_size.ts";
import { listenForPhotos } from "./arrivals.ts";
import { Brush } from "./brush.ts";
import { Controls } from "./controls.ts";
import { lookDownload, lutDownload, save, stem } from "./downloads.ts";
import { byId, element } from "./elements.ts";
import { FilmPanel } from "./film_panel.ts";
import { type Mixture, mixedGrade, mixedLook } from "./mixture.ts";
import { openPhoto, type Photo } from "./photo.ts";
import { SAMPLES, type Sample } from "./samples.ts";
import { Shares } from "./shares.ts";
import { Slot } from "./slot.ts";
import { Stage } from "./stage.ts";
import { Status } from "./status.ts";

const STYLES = 3;
const SAVE_BUTTONS = ["save-jpeg", "save-png", "save-cube", "save-look"] as const;

export class App {
  private readonly engine = new Engine();
  private readonly status = new Status(() => this.cancel());
  private readonly stage = new Stage((error) => this.status.fail(error));
  private readonly controls = new Controls(
    () => this.showSettings(),
    () => this.fit(),
  );
  private readonly film = new FilmPanel(this.stage, this.status, (still, name, isNew) => {
    return this.usePhoto(still, name, this.contentSlot, isNew);
  });
  private readonly brush = new Brush((mask) => this.stage.showMask(mask));
  private readonly shares = new Shares(() => this.showLook());
  private readonly contentSlot: Slot;
  private readonly styleSlots: Slot[];
  private fitted: Fitted[] = [];
  private saving: AbortController | undefined;

  constructor() {
    this.contentSlot = new Slot("Content", "image/*,video/*", (file) => this.receive(file, this.contentSlot));
    this.styleSlots = Array.from({ length: STYLES }, (_, index) => {
      const title = index === 0 ? "Style" : `Style ${index + 1}`;
      const onRemove = index > 0 ? () => this.fit() : undefined;
      const slot: Slot = new Slot(title, "image/*", (file) => this.receive(file, slot), onRemove);
      return slot;
    });
    const slots = [this.contentSlot, ...this.styleSlots];
    byId("slots", HTMLElement).append(...slots.map((slot) => slot.box));
    byId("samples", HTMLElement).append(...SAMPLES.map((sample) => this.sampleButton(sample)));
    this.showFreeSlots();
    listenForPhotos(slots, (file, slot) => this.receive(file, slot));
    byId("save-jpeg", HTMLButtonElement).addEventListener("click", () => this.savePhoto("image/jpeg", "jpg"));
    byId("save-png", HTMLButtonElement).addEventListener("click", () => this.savePhoto("image/png", "png"));
    byId("save-cube", HTMLButtonElement).addEventListener("click", () => {
      save(lutDownload(this.mixture, this.resultName), `${this.resultName}.cube`);
    });
    byId("save-look", HTMLButtonElement).addEventListener("click", () => {
      save(lookDownload(this.mixture), `${this.resultName}.npz`);
    });
    this.engine.ready.then(
      () => this.status.greet("Ready."),
      (error: unknown) => this.status.fail(error),
    );
  }

  private get styles(): Photo[] {
    return this.styleSlots.flatMap(({ photo }) => photo ?? []);
  }

  private get mixture(): Mixture {
    return { fitted: this.fitted, shares: this.shares.values, settings: this.controls.settings };
  }

  private get resultName(): string {
    return `${stem(this.contentSlot.photo?.name ?? "")}.stylized`;
  }

  // --- photos in ---

  /** A file that was chosen, dropped or pasted. */
  private receive(file: File, slot: Slot): Promise<void> {
    if (slot !== this.contentSlot) return this.usePhoto(file, file.name, slot);
    if (file.type.startsWith("video/")) return this.film.openFile(file);
    this.film.close();
    return this.usePhoto(file, file.name, slot);
  }

  /** Put a photo in its place; another frame of the same film (not `isNew`) keeps what the brush did. */
  private async usePhoto(blob: Blob, name: string, slot: Slot, isNew = true): Promise<void> {
    this.status.clearError();
    const isLatest = slot.expect();
    try {
      const photo = await openPhoto(blob, name);
      if (isLatest()) this.showPhoto(photo, slot, isNew);
      photo.view.close();
      if (isLatest()) await this.fit();
    } catch (error) {
      this.status.fail(error);
    }
  }

  private showPhoto(photo: Photo, slot: Slot, isNew: boolean): void {
    slot.show(photo);
    this.showFreeSlots();
    if (slot !== this.contentSlot) return;
    this.stage.showPhoto(photo);
    if (isNew) this.brush.fitTo(photo);
  }

  /** A place for another style is offered once the one before it is taken. */
  private showFreeSlots(): void {
    this.styleSlots.forEach((slot, index) => {
      slot.box.hidden = !slot.photo && index > 0 && !this.styleSlots[index - 1].photo;
    });
  }

  private sampleButton({ title, content, style }: Sample): HTMLButtonElement {
    const address = (name: string) => new URL(`samples/${name}`, document.baseURI).href;
    const pictures = [content, style].map((name) => element("img", { src: address(name), alt: "", loading: "lazy" }));
    const button = element("button", { type: "button", className: "sample", title }, ...pictures);
    button.setAttribute("aria-label", `Sample: ${title}`);
    button.addEventListener("click", async () => {
      try {
        const blobs = await Promise.all([content, style].map(async (name) => (await fetch(address(name))).blob()));
        this.film.close();
        for (const slot of this.styleSlots.slice(1)) slot.show(undefined);
        this.contentSlot.show(undefined); // no look is made of the new style and the old content
        await this.usePhoto(blobs[1], style, this.styleSlots[0]);
        await this.usePhoto(blobs[0], content, this.contentSlot);
      } catch (error) {
        this.status.fail(error);
      }
    });
    return button;
  }

  // --- the look ---

  private async fit(): Promise<void> {
    const { styles } = this;
    const content = this.contentSlot.photo;
    this.showFreeSlots();
    this.allowSaving(false);
    if (!content || styles.length === 0) {
      this.engine.cancel();
      this.status.endWork(content ? "Now a photo whose light and colour to take." : "Now a photo to change.");
      return;
    }
    const { backbone, transform } = this.controls;
    const begun = performance.now();
    this.status.showWork(0, "Reading the photos");
    try {
      const { colorSpace } = content;
      const request = { content, styles, colorSpace, backbone, transform };
      this.fitted = await this.engine.fit(plain(request), (share, text) => this.status.showWork(share, text));
      this.shares.show(styles.map(({ name }) => name));
      this.showLook();
      this.allowSaving(true);
      this.status.endWork(`Done in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
    } catch (error) {
      if (error instanceof Superseded) return;
      this.stage.clearLook();
      this.status.fail(error);
    }
  }

  private cancel(): void {
    if (this.saving) this.saving.abort();
    else this.stage.clearLook();
    this.saving = undefined;
    this.engine.cancel();
    this.status.endWork("Cancelled.");
  }

  private showLook(): void {
    this.stage.showLook(mixedLook(this.mixture), mixedGrade(this.mixture));
    this.showSettings();
  }

  private showSettings(): void {
    this.stage.settings = this.controls.settings;
    this.stage.draw();
  }

  // --- files out ---

  private allowSaving(isAllowed: boolean): void {
    for (const name of SAVE_BUTTONS) byId(name, HTMLButtonElement).disabled = !isAllowed;
  }

  private async savePhoto(format: string, ending: string): Promise<void> {
    const photo = this.contentSlot.photo;
    if (!photo) return;
    const { mixture } = this;
    const appearance = {
      look: mixedLook(mixture),
      grade: mixedGrade(mixture),
      settings: mixture.settings,
      mask: this.brush.current,
      colorSpace: photo.colorSpace,
    };
    const { signal } = (this.saving = new AbortController());
    const step = async (share: number) => {
      this.status.showWork(share, "Making the photo at full size");
      await new Promise((resolve) => setTimeout(resolve)); // the page can be used meanwhile
      signal.throwIfAborted();
    };
    const name = `${this.resultName}.${ending}`;
    try {
      const file = await fullSizeResult(photo.blob, appearance, format, step);
      save(file, name);
      this.status.endWork(`Saved ${name}, ${photo.width} by ${photo.height} pixels.`);
    } catch (error) {
      if (!signal.aborted) this.status.fail(error);
    } finally {
      this.saving = undefined;
    }
  }
}

/** A request with of each photo only what the worker needs. */
function plain<Rest>({ content, styles, ...rest }: { content: Photo; styles: Photo[] } & Rest) {
  const fileOf = ({ id, blob }: Photo) => ({ id, blob });
  return { content: fileOf(content), styles: styles.map(fileOf), ...rest };
}
