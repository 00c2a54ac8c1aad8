/** Starts the page, and says in a sentence where that cannot be. */
import { App } from "./app.ts";
import { byId } from "./elements.ts";

try {
  new App();
} catch (error) {
  const box = byId("error", HTMLElement);
  box.hidden = false;
  box.textContent = error instanceof Error ? error.message : String(error);
}

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("./service-worker.js").catch(() => undefined); // without it the page works, but not offline
}
