import { type Point, put, translate } from "./svg.ts";

/**
 * All movement of the picture, as Web Animations: it can be paused, made faster, and left out.
 *
 * With `prefers-reduced-motion` nothing moves. What would have moved appears at its new place, and stays there for half
 * as long as the way would have taken, so that the order of events can still be followed.
 */
export class Motion {
  /** How many times as fast as the times that the picture names. */
  speed = 1;
  /** Shows what happens without any movement or waiting: for events from before the page was opened. */
  instant = false;
  /** How many events wait to be shown. The more they are, the faster everything goes. */
  backlog: () => number = () => 0;
  readonly #svg: SVGSVGElement;
  readonly #reduced: MediaQueryList = matchMedia("(prefers-reduced-motion: reduce)");
  #paused = false;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
  }

  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    for (const animation of this.#svg.getAnimations({ subtree: true })) {
      if (paused) animation.pause();
      else animation.play();
    }
  }

  /** Brings everything that moves to its end. */
  skip(): void {
    this.instant = true;
    for (const animation of this.#svg.getAnimations({ subtree: true })) animation.finish();
  }

  async wait(ms: number): Promise<void> {
    await this.#run(this.#svg, [], ms);
  }

  async appear(element: SVGElement, ms = 220): Promise<void> {
    await this.#run(element, [{ opacity: 0 }, { opacity: 1 }], ms);
  }

  /** Fades an element out, and takes it away. */
  async vanish(element: SVGElement, ms = 260): Promise<void> {
    await this.#run(element, [{}, { opacity: 0 }], ms);
    element.remove();
  }

  /** Moves an element along points; it stays at the last one. */
  async move(element: SVGElement, points: Point[], ms: number): Promise<void> {
    const end = points.at(-1);
    if (!end) return;
    put(element, end);
    if (this.#reduced.matches) {
      await this.wait(ms / 2);
      return;
    }
    const frames = points.map((point) => ({ transform: translate(point) }));
    await this.#run(element, frames, ms, "cubic-bezier(.45, .05, .4, 1)");
  }

  async #run(element: SVGElement, frames: Keyframe[], ms: number, easing = "ease-in-out"): Promise<void> {
    if (this.instant) return;
    const backlog = this.backlog();
    const hurry = backlog > 200 ? 40 : backlog > 60 ? 8 : backlog > 25 ? 2.5 : 1;
    const animation = element.animate(frames, { duration: ms / this.speed / hurry, easing });
    if (this.#paused) animation.pause();
    await animation.finished;
  }
}
