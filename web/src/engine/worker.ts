/** The worker: photos in, looks out. The page stays free to move while it computes. */
import { LookMaker, STEPS_OF_CONTENT, STEPS_OF_STYLE } from "./looks.ts";
import type { FitRequest, Reply, Request } from "./messages.ts";
import { prepareRuntime } from "./runtime.ts";
import type { Step } from "./student.ts";

class Cancelled extends Error {}

let maker: LookMaker | undefined;
let currentJob = 0;
let lastJob: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.kind === "open") {
    open(data.base);
  } else if (data.kind === "cancel") {
    currentJob = 0;
  } else {
    currentJob = data.job;
    lastJob = lastJob.then(() => answer(data)); // one thing at a time
  }
});

/** Load what most visitors need while they choose their photos. */
function open(base: string): void {
  prepareRuntime(base);
  maker = new LookMaker(base);
  lastJob = maker.warmUp().then(
    () => reply({ kind: "ready" }),
    (error: unknown) => reply({ kind: "failed", job: 0, message: messageOf(error) }),
  );
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
    if (!maker) throw new Error("The worker was not opened.");
    const fitted = await maker.fit(request, step);
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
