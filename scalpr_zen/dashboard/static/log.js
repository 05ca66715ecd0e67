// The trade log: pages from the server, sorted and filtered there.

import { byId, count, element, getJson, refill, showError } from "./page.js";

const SIZE = 50;

export class TradeLog {
  /** @param open called with the trade that was chosen, and the query of its run */
  constructor(about, open) {
    this.columns = about.log.columns;
    this.open = open;
    this.wanted = { page: 1, sort: "number", order: "up" };
    this.#filters(about);
  }

  /** Show the trades of a run, from the first page if it is a different run. */
  async show(query) {
    if (this.query?.toString() !== query.toString()) this.wanted.page = 1;
    this.query = query;
    await this.#load();
  }

  async #load() {
    this.waiting?.abort();
    const { signal } = (this.waiting = new AbortController());
    const run = this.query;
    const query = new URLSearchParams([...run, ...Object.entries(this.wanted), ["size", SIZE]]);
    byId("log").classList.add("stale");
    try {
      const answer = await getJson("/api/trades", query, signal);
      signal.throwIfAborted();
      this.#draw(answer, run);
    } catch (error) {
      if (error.name !== "AbortError") showError(error);
    }
  }

  #filters({ log, tape }) {
    const pick = (name, label, choices) =>
      element(
        "label",
        {},
        label,
        element("select", { name }, ...choices.map((choice) => element("option", {}, choice))),
      );
    const day = (name, label) => {
      const [min, max] = tape.session_dates;
      return element("label", {}, label, element("input", { name, type: "date", min, max }));
    };
    const form = byId("filters");
    form.append(
      pick("side", "side", ["all", "long", "short"]),
      pick("reason", "exit", log.reasons),
      pick("contract", "contract", ["all", ...tape.contracts]),
      day("first", "from"),
      day("last", "to"),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => {
      for (const [name, value] of new FormData(form)) {
        if (value) this.wanted[name] = value;
        else delete this.wanted[name];
      }
      this.wanted.page = 1;
      this.#load();
    });
  }

  #draw(answer, run) {
    const { matching, found, trades } = answer;
    byId("matching").textContent = `${found}${matching ? "; click a trade number to see its prints" : ""}`;
    byId("log").classList.remove("stale");
    refill(byId("log"), this.#head(), element("tbody", {}, ...trades.map((trade) => this.#row(trade, run))));
    refill(byId("pages"), ...this.#pager(answer));
  }

  #head() {
    const cell = ({ name, label, text }) => {
      const sorted = this.wanted.sort === name;
      const arrow = sorted ? (this.wanted.order === "up" ? " \u25b2" : " \u25bc") : "";
      const aria = sorted ? (this.wanted.order === "up" ? "ascending" : "descending") : "none";
      const button = element("button", { type: "button", onclick: () => this.#sort(name) }, label + arrow);
      return element("th", { scope: "col", "aria-sort": aria, class: text ? "text" : "" }, button);
    };
    return element("thead", {}, element("tr", {}, ...this.columns.map(cell)));
  }

  #row(trade, run) {
    const cells = this.columns.map(({ name, text }) => {
      const attributes = { class: text ? "text" : "" };
      if (name !== "number") return element("td", attributes, trade.text[name]);
      const label = `Prints around trade ${trade.number}`;
      return element(
        "td",
        attributes,
        element("button", { type: "button", "aria-label": label }, String(trade.number)),
      );
    });
    return element("tr", { onclick: () => this.open(trade, run) }, ...cells);
  }

  #sort(name) {
    const same = this.wanted.sort === name;
    Object.assign(this.wanted, { sort: name, order: same && this.wanted.order === "up" ? "down" : "up", page: 1 });
    this.#load();
  }

  #pager({ page, pages }) {
    const go = (to) => {
      this.wanted.page = Math.min(Math.max(1, Math.trunc(to) || 1), Math.max(1, pages));
      this.#load();
    };
    const button = (text, label, to, possible) =>
      element("button", { type: "button", "aria-label": label, disabled: !possible, onclick: () => go(to) }, text);
    const field = element("input", {
      type: "number",
      min: 1,
      max: pages,
      value: page,
      "aria-label": "Page",
      onchange: (event) => go(event.target.value),
    });
    return [
      button("\u00ab", "First page", 1, page > 1),
      button("\u2039", "Previous page", page - 1, page > 1),
      field,
      `of ${count(Math.max(1, pages))}`,
      button("\u203a", "Next page", page + 1, page < pages),
      button("\u00bb", "Last page", pages, page < pages),
    ];
  }
}
