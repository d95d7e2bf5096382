// Small parts that every view uses.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { clock, shown } from "../core/text";
import type { Desk } from "../desk/desk";

const tick = signal(0);
setInterval(() => (tick.value += 1), 1000);

/** What calls this is drawn again every second. */
export function every_second(): number {
  return tick.value;
}

export function Timer({ desk, since, until }: { desk: Desk; since?: number | undefined; until?: number | undefined }) {
  every_second();
  const ms = until === undefined ? desk.now() - (since ?? desk.now()) : until - desk.now();
  return <span class="time">{clock(ms)}</span>;
}

/** Text that somebody else wrote: it keeps its own direction and changes nobody else's. */
export function Foreign({ text, most }: { text: string; most?: number }) {
  return <bdi>{shown(text, most)}</bdi>;
}

export function Link({ desk, url, children, main }: { desk: Desk; url: string; children: ComponentChildren; main?: boolean }) {
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      class={main ? "main" : undefined}
      onClick={(event) => {
        // As the operator's browser would: with a key held, a window of its own.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        desk.open(url);
      }}
    >
      {children}
    </a>
  );
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The time of day; what is not of today has its day before it. */
export function moment(time: number): string {
  const form = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(document.documentElement.lang, options).format(time);
  const clock_time = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return new Date(time).toDateString() === new Date().toDateString() ? clock_time : `${form({ day: "2-digit", month: "2-digit" })} ${clock_time}`;
}
