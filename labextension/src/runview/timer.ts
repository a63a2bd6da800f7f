/** Something to be done later, once; asking anew puts it off. */
export class Timer {
  #handle = 0;

  get isSet(): boolean {
    return this.#handle !== 0;
  }

  start(work: () => unknown, milliseconds: number): void {
    this.stop();
    this.#handle = window.setTimeout(() => {
      this.#handle = 0;
      work();
    }, milliseconds);
  }

  stop(): void {
    window.clearTimeout(this.#handle);
    this.#handle = 0;
  }
}
