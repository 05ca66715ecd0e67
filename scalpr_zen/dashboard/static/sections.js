// The sections of a run: what the server declares of each, filled in as its answers come.

import { byId, element, refill } from "./page.js";

const WAITS = "Computing; the run itself is done.";

export class Sections {
  /**
   * @param declared name, title, sentence, later and label of every section, as /api/about gives them
   * @param charts where the figures of a section are drawn
   */
  constructor(declared, charts) {
    this.charts = charts;
    this.declared = declared.filter(({ title, label }) => title || label);
    this.notes = new Map(); // name -> notes, of every section
    this.order = declared.toSorted((one, other) => one.notes - other.notes).map(({ name }) => name);
    const shown = declared.filter(({ title }) => title);
    byId("sections").append(...shown.map(place));
    byId("contents").append(...shown.map(({ name, title }) => element("a", { href: `#section-${name}` }, title)));
    byId("lines").append(
      ...declared
        .filter(({ label }) => label)
        .flatMap(({ name, label }) => [
          element("dt", {}, element("a", { href: `#section-${name}` }, label)),
          element("dd", { id: `line-${name}` }),
        ]),
    );
  }

  /** The slow sections. */
  get later() {
    return this.declared.filter(({ later }) => later).map(({ name }) => name);
  }

  /** Show what leads the page and the sections of a run; resolves when the charts in sight are drawn. */
  async show({ headline, sections }) {
    byId("headline").innerHTML = headline; // made by the server, every text in it escaped
    this.notes.clear();
    this.later.forEach((name) => this.#wait(name));
    await Promise.all(Object.entries(sections).map(([name, section]) => this.fill(name, section)));
  }

  /** Show one section. */
  async fill(name, { html, figures, notes, line }) {
    this.notes.set(name, notes);
    this.#showNotes();
    this.#say(name, line);
    const section = parts(name);
    if (!section) return;
    section.status.hidden = true;
    section.made.hidden = false;
    section.made.classList.remove("stale");
    section.made.innerHTML = html;
    await this.charts.show(figures, section.charts);
  }

  /** Say why a section is missing. */
  fail(name, message) {
    this.#say(name, "not made");
    const section = parts(name);
    if (section) section.status.textContent = `Not made: ${message}`;
  }

  /** Say why every section still waited for is missing. */
  failWaiting(message) {
    for (const name of this.later) if (!parts(name).status.hidden) this.fail(name, message);
  }

  #wait(name) {
    const { status, made, charts } = parts(name);
    this.#say(name, "being computed");
    status.textContent = WAITS;
    status.hidden = false;
    made.classList.toggle("stale", !made.hidden);
    for (const box of charts.children) box.classList.add("stale");
  }

  #say(name, line) {
    const place = byId(`line-${name}`);
    if (place) place.textContent = line;
  }

  #showNotes() {
    const look = (note) => (note.startsWith("OPTIMISTIC") ? "optimistic" : "");
    const all = this.order.flatMap((name) => this.notes.get(name) ?? []);
    refill(byId("notes"), ...all.map((note) => element("li", { class: look(note) }, note)));
  }
}

function place({ name, title, sentence }) {
  return element(
    "section",
    { id: `section-${name}`, "aria-labelledby": `section-${name}-title` },
    element("h2", { id: `section-${name}-title` }, title),
    element("p", { class: "quiet" }, sentence),
    element("p", { class: "waits", role: "status", hidden: true }),
    element("div", { class: "made", hidden: true }),
    element("div", { class: "charts" }),
  );
}

function parts(name) {
  const section = byId(`section-${name}`);
  if (!section) return null;
  const [status, made, charts] = [".waits", ".made", ".charts"].map((part) => section.querySelector(part));
  return { status, made, charts };
}
