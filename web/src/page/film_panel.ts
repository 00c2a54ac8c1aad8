/** Plays a film or the camera through the look. Where it stops, the frame becomes the content photo. */
import { byId } from "./elements.ts";
import { Film } from "./film.ts";
import type { Stage } from "./stage.ts";
import type { Status } from "./status.ts";

/** Takes a frame as the content photo; `isNew` where it is the first of its film. */
export type OnStill = (still: Blob, name: string, isNew: boolean) => Promise<void>;

export class FilmPanel {
  private readonly box = byId("film", HTMLElement);
  private readonly button = byId("play", HTMLButtonElement);
  private film: Film | undefined;
  private name = "";
  private isPlaying = false;

  constructor(
    private readonly stage: Stage,
    private readonly status: Status,
    private readonly onStill: OnStill,
  ) {
    this.button.addEventListener("click", () => this.guarded(() => (this.isPlaying ? this.pause() : this.play())));
    const camera = byId("camera", HTMLButtonElement);
    camera.hidden = !navigator.mediaDevices;
    camera.addEventListener("click", () => this.guarded(() => this.openCamera()));
  }

  /** Show a film's first frame; it is played when the user says so. */
  openFile(file: File): Promise<void> {
    return this.guarded(async () => {
      await this.take(await Film.fromFile(file), file.name);
    });
  }

  /** Let go of the film: the content is a photo now. */
  close(): void {
    this.setPlaying(false);
    this.film?.close();
    this.film = undefined;
    this.box.hidden = true;
  }

  private async openCamera(): Promise<void> {
    await this.take(await Film.fromCamera(), "camera.png");
    await this.play();
  }

  private async take(film: Film, name: string): Promise<void> {
    this.close();
    this.film = film;
    this.name = name;
    await this.onStill(await film.still(), name, true);
    this.box.hidden = false;
  }

  private async play(): Promise<void> {
    const { film } = this;
    if (!film) return;
    this.setPlaying(true);
    this.status.say("Playing through the look.");
    await film.play(() => this.stage.showFrame(film.video));
  }

  /** The look is made anew for the frame that is seen, which can then be saved. */
  private async pause(): Promise<void> {
    const { film } = this;
    if (!film) return;
    film.pause();
    this.setPlaying(false);
    await this.onStill(await film.still(), this.name, false);
  }

  private setPlaying(isPlaying: boolean): void {
    this.isPlaying = isPlaying;
    this.button.textContent = isPlaying ? "Pause" : "Play";
  }

  private async guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.status.fail(error);
    }
  }
}
