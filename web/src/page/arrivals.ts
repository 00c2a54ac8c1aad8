/** Photos that arrive without a file dialogue: dropped on the page, or pasted. */
import type { Slot } from "./slot.ts";

export type OnArrival = (file: File, slot: Slot) => void;

/** Listen; `slots` are those on the page, the one that is filled first first. */
export function listenForPhotos(slots: Slot[], onArrival: OnArrival): void {
  const free = () => slots.find((slot) => !slot.photo && !slot.box.hidden) ?? slots[0];

  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(slots, slotUnder(event, slots));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(slots, undefined);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(slots, undefined);
    const [first, ...others] = filesOf(event.dataTransfer);
    if (first) onArrival(first, slotUnder(event, slots) ?? free());
    others.slice(0, slots.length - 1).forEach((file) => onArrival(file, free()));
  });
  document.addEventListener("paste", (event) => {
    const [file] = filesOf(event.clipboardData);
    if (file) onArrival(file, slots.find((slot) => slot.hasFocus()) ?? free());
  });
}

function filesOf(transfer: DataTransfer | null): File[] {
  return Array.from(transfer?.files ?? []);
}

function slotUnder(event: DragEvent, slots: Slot[]): Slot | undefined {
  return slots.find((slot) => event.target instanceof Node && slot.box.contains(event.target));
}

function mark(slots: Slot[], target: Slot | undefined): void {
  for (const slot of slots) slot.box.classList.toggle("target", slot === target);
}
