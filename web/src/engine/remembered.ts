/** Values that are made once for a key; a failure is forgotten, so that it can be tried again. */
export class Remembered<Value> {
  private readonly values = new Map<string, Promise<Value>>();

  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.values.get(key);
    if (known) return known;
    const made = make();
    this.values.set(key, made);
    made.catch(() => this.values.delete(key));
    return made;
  }

  /** Forget every key that starts with none of `starts`. */
  keepOnly(starts: string[]): void {
    for (const key of this.values.keys()) {
      if (!starts.some((start) => key.startsWith(start))) this.values.delete(key);
    }
  }
}
