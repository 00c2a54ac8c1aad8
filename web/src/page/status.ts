/** What the page says about its work: how far it is, and what went wrong. */
import { byId } from "./elements.ts";

export class Status {
  private readonly text = byId("status", HTMLElement);
  private readonly work = byId("work", HTMLElement);
  private readonly bar = byId("progress", HTMLProgressElement);
  private readonly error = byId("error", HTMLElement);

  constructor(onCancel: () => void) {
    byId("cancel", HTMLButtonElement).addEventListener("click", onCancel);
  }

  say(text: string): void {
    this.text.textContent = text;
  }

  /** Say something that is of interest only while there is nothing else to say. */
  greet(text: string): void {
    if (!this.text.textContent) this.say(text);
  }

  /** Show how much of some work is done, 0 to 1; `endWork` takes that away. */
  showWork(share: number, text: string): void {
    this.work.hidden = false;
    this.bar.value = share;
    if (this.text.textContent !== text) this.say(text);
  }

  endWork(text: string): void {
    this.work.hidden = true;
    this.say(text);
  }

  fail(error: unknown): void {
    this.work.hidden = true;
    this.say("");
    this.error.hidden = false;
    this.error.textContent = error instanceof Error ? error.message : String(error);
  }

  clearError(): void {
    this.error.hidden = true;
    this.error.textContent = "";
  }
}
