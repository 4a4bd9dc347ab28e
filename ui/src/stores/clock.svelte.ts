/** The display clock: drives "12 min ago" and the look of stale data, nothing else. */
export class Clock {
  /** Seconds since the epoch. */
  now: number = $state(0);
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(now: number) {
    this.now = now;
  }

  /** Ticks each second with the system's time, and tells `onTick`. */
  start(onTick: () => void): void {
    this.stop();
    this.#timer = setInterval(() => {
      this.now = Math.floor(Date.now() / 1000);
      onTick();
    }, 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
