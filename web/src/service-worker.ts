/**
 * The page offline: all its files are kept at the first visit and served from there; what only some need, when it is used.
 *
 * It also adds the headers that isolate the page, so that WebAssembly has threads on servers which cannot send them.
 * plugins/offline.ts puts the three constants in front.
 */
/// <reference lib="webworker" />
declare const FILES: string[];
declare const VERSION: string;
declare const HEADERS: Record<string, string>;

const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = `pcakd-page ${worker.registration.scope} `;
const CACHE = PREFIX + VERSION;
const PAGE = "index.html";

worker.addEventListener("install", (event) => {
  event.waitUntil(keepFiles());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldVersions().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOwn = request.url.startsWith(worker.registration.scope);
  if (request.method === "GET" && isOwn) event.respondWith(answer(request));
});

async function keepFiles(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })));
}

/** Of this page only: other pages of the same server may have caches too. */
async function forgetOldVersions(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === "navigate" ? PAGE : request, { ignoreSearch: true });
  const response = kept ?? (await fetch(request));
  if (!kept && response.status === 200) await cache.put(request, response.clone());
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
