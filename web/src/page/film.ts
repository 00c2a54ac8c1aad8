/** Moving pictures: a film from disk, or the camera. */

export class Film {
  private isPlaying = false;

  private constructor(readonly video: HTMLVideoElement) {}

  /** @throws Error, a sentence for the user, where `file` is no film that the browser can play. */
  static async fromFile(file: File): Promise<Film> {
    const video = newVideo();
    video.loop = true;
    video.src = URL.createObjectURL(file);
    try {
      await loaded(video);
    } catch {
      throw new Error(`${file.name} is not a film that this browser can play. MP4 with H.264 and WebM mostly work.`);
    }
    return new Film(video);
  }

  /** @throws Error, a sentence for the user, where there is no camera or it may not be used. */
  static async fromCamera(): Promise<Film> {
    const video = newVideo();
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1920 }, facingMode: "environment" },
      });
    } catch {
      throw new Error("The camera cannot be used: there is none, or the browser was told not to.");
    }
    await video.play();
    await loaded(video);
    return new Film(video);
  }

  /** The frame that is shown now, as a picture file. */
  async still(): Promise<Blob> {
    const { video } = this;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  }

  /** Play; `onFrame` is called for every frame, until `pause`. */
  async play(onFrame: () => void): Promise<void> {
    this.isPlaying = true;
    await this.video.play();
    const next = () => {
      if (!this.isPlaying) return;
      onFrame();
      this.video.requestVideoFrameCallback(next);
    };
    this.video.requestVideoFrameCallback(next);
  }

  pause(): void {
    this.isPlaying = false;
    this.video.pause();
  }

  /** Let go of the file or the camera. */
  close(): void {
    this.pause();
    const { srcObject, src } = this.video;
    if (srcObject instanceof MediaStream) for (const track of srcObject.getTracks()) track.stop();
    if (src) URL.revokeObjectURL(src);
  }
}

function newVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.preload = "auto";
  return video;
}

/** Wait for the first frame. */
function loaded(video: HTMLVideoElement): Promise<void> {
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) return Promise.resolve();
  return new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", () => resolve(), { once: true });
    video.addEventListener("error", () => reject(new Error("The film cannot be played.")), { once: true });
  });
}
