/** The page's side of the worker. */
import type { FitRequest, Fitted, Reply, Request } from "./messages.ts";
import type { Processor } from "./runtime.ts";

/** Said to one who waits for a fit that was cancelled, or that a later one took the place of. */
export class Superseded extends Error {}

export type OnProgress = (share: number, text: string) => void;

interface Waiting {
  job: number;
  resolve: (fitted: Fitted[]) => void;
  reject: (error: Error) => void;
  onProgress: OnProgress;
}

export class Engine {
  /** Fulfilled once the default network is loaded. */
  readonly ready: Promise<void>;
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private waiting: Waiting | undefined;
  private jobs = 0;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
        if (data.kind === "ready") {
          document.documentElement.dataset.processor = data.processor;
          resolve();
        } else if (data.job === 0 && data.kind === "failed") reject(new Error(data.message));
        else this.hear(data);
      });
      this.worker.addEventListener("error", () => {
        const error = new Error("The part of the page that computes did not start. Reload the page.");
        reject(error);
        this.waiting?.reject(error);
      });
    });
    this.ready.catch(() => undefined); // whoever waits for it hears of it
    const { href, searchParams } = new URL(location.href);
    this.send({ kind: "open", base: new URL("./", href).href, processor: processorNamed(searchParams.get("processor")) });
  }

  /** The looks that carry each style to the content; rejects with `Superseded` where they are no longer wanted. */
  fit(request: Omit<FitRequest, "kind" | "job">, onProgress: OnProgress): Promise<Fitted[]> {
    this.waiting?.reject(new Superseded());
    const job = ++this.jobs;
    this.send({ kind: "fit", job, ...request });
    return new Promise((resolve, reject) => {
      this.waiting = { job, resolve, reject, onProgress };
    });
  }

  cancel(): void {
    this.waiting?.reject(new Superseded());
    this.waiting = undefined;
    this.send({ kind: "cancel" });
  }

  private send(request: Request): void {
    this.worker.postMessage(request);
  }

  private hear(reply: Exclude<Reply, { kind: "ready" }>): void {
    const { waiting } = this;
    if (!waiting || reply.job !== waiting.job) return;
    if (reply.kind === "progress") {
      waiting.onProgress(reply.share, reply.text);
      return;
    }
    this.waiting = undefined;
    if (reply.kind === "fitted") waiting.resolve(reply.fitted);
    else waiting.reject(new Error(reply.message));
  }
}

/** What `?processor=` in the page's address asks for. */
function processorNamed(name: string | null): Processor | undefined {
  return name === "webgpu" || name === "wasm" ? name : undefined;
}
