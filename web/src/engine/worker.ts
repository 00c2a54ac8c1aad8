/** The worker: photos in, looks out. The page stays free to move while it computes. */
import { LookMaker, STEPS_OF_CONTENT, STEPS_OF_STYLE } from "./looks.ts";
import type { FitRequest, OpenRequest, Reply, Request } from "./messages.ts";
import { fastest, prepareRuntime, type Processor } from "./runtime.ts";
import type { Step } from "./student.ts";

class Cancelled extends Error {}

let maker: LookMaker | undefined;
let base = "";
let processor: Processor = "wasm";
let currentJob = 0;
let lastJob: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.kind === "open") {
    lastJob = open(data);
  } else if (data.kind === "cancel") {
    currentJob = 0;
  } else {
    currentJob = data.job;
    lastJob = lastJob.then(() => answer(data)); // one thing at a time
  }
});

/** Load what most visitors need while they choose their photos. */
async function open(request: OpenRequest): Promise<void> {
  base = request.base;
  processor = request.processor ?? (await fastest());
  try {
    await start().catch(fallBack);
    reply({ kind: "ready", processor });
  } catch (error) {
    reply({ kind: "failed", job: 0, message: messageOf(error) });
  }
}

async function start(): Promise<void> {
  await prepareRuntime(base, processor);
  maker = new LookMaker(base);
  await maker.warmUp();
}

/** Start again without the graphics card, which may fail where WebAssembly does not; throws where it was not used. */
async function fallBack(error: unknown): Promise<void> {
  if (processor === "wasm") throw error;
  console.warn("WebGPU failed, WebAssembly takes over:", error);
  processor = "wasm";
  await start();
}

/** Answer a request; a later one, or a cancellation, ends it at its next step. */
async function answer(request: FitRequest): Promise<void> {
  const { job } = request;
  const steps = STEPS_OF_CONTENT + STEPS_OF_STYLE * request.styles.length;
  let done = 0;
  const step: Step = async (text) => {
    reply({ kind: "progress", job, share: Math.min(done++ / steps, 1), text });
    await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
    if (job !== currentJob) throw new Cancelled();
  };
  try {
    const fit = async () => {
      if (!maker) throw new Error("The worker was not opened.");
      return maker.fit(request, step);
    };
    const fitted = await fit().catch(async (error: unknown) => {
      if (error instanceof Cancelled) throw error;
      await fallBack(error);
      return fit();
    });
    if (job === currentJob) reply({ kind: "fitted", job, fitted });
  } catch (error) {
    if (!(error instanceof Cancelled)) reply({ kind: "failed", job, message: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError || /bad_alloc|memory|allocat/i.test(String(error))) {
    return "There is too little memory for this photo. Close other pages, or take a smaller photo.";
  }
  return error instanceof Error ? error.message : String(error);
}

function reply(message: Reply): void {
  self.postMessage(message);
}
