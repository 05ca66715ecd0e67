// The tape around a trade: single prints or their envelope, zoomed from a year to one print.

import { draw, keepFitting, onTheme } from "./charts.js";
import { byId, count, element, getJson } from "./page.js";

const BUY = "#3b8fd9";
const SELL = "#c97316";
const QUIET = "#8a8f98";
const AGGRESSORS = [
  { value: 1, name: "buyer", color: BUY, symbol: "triangle-up" },
  { value: -1, name: "seller", color: SELL, symbol: "triangle-down" },
  { value: 0, name: "unknown", color: QUIET, symbol: "circle" },
];
const LAST_STOP = { symbol: "line-ew", size: 18, color: SELL, line: { width: 3, color: SELL } };
const ZOOM_WAIT = 60; // ms; a wheel turns many times a second

export class TapeView {
  constructor(about) {
    this.themes = about.themes;
    this.length = about.tape.prints;
    this.dialog = byId("tape");
    this.chart = byId("tape-chart");
    this.dialog.querySelector('button[value="close"]').addEventListener("click", () => this.dialog.close());
    byId("tape-zoom").append(...this.#buttons());
    keepFitting(this.chart);
    onTheme(() => this.view && this.dialog.open && this.#draw());
  }

  /** Open the tape around a trade of a run. */
  async open(query, trade) {
    Object.assign(this, { query, trade, view: null });
    byId("tape-title").textContent = trade.text.title;
    byId("tape-facts").textContent = trade.text.facts;
    if (!this.dialog.open) this.dialog.showModal();
    await this.#around();
  }

  #buttons() {
    const button = (text, label, action) =>
      element("button", { type: "button", "aria-label": label, onclick: action }, text);
    return [
      button("trade", "Show the trade", () => this.#around()),
      button("+", "Zoom in", () => this.#scale(0.4)),
      button("\u2212", "Zoom out", () => this.#scale(2.5)),
      button("\u2039", "Earlier", () => this.#move(-0.5)),
      button("\u203a", "Later", () => this.#move(0.5)),
      button("entry", "Single prints at the entry", () => this.#load(this.trade.entry - 20, this.trade.entry + 21)),
      button("exit", "Single prints at the exit", () => this.#load(this.trade.exit - 20, this.trade.exit + 21)),
      button("whole tape", "Show the whole tape", () => this.#load(0, this.length)),
    ];
  }

  #around() {
    const { signal, exit } = this.trade;
    const margin = Math.max(25, Math.round(0.3 * (exit - signal)));
    return this.#load(signal - margin, exit + margin);
  }

  #scale(factor) {
    if (!this.view) return;
    const middle = (this.view.start + this.view.stop) / 2;
    const half = Math.max(4, ((this.view.stop - this.view.start) / 2) * factor);
    this.#load(middle - half, middle + half);
  }

  #move(share) {
    if (!this.view) return;
    const step = (this.view.stop - this.view.start) * share;
    this.#load(this.view.start + step, this.view.stop + step);
  }

  async #load(from, to) {
    const start = Math.min(Math.max(0, Math.floor(from)), this.length - 1);
    const stop = Math.min(Math.max(start + 1, Math.ceil(to)), this.length);
    this.waiting?.abort();
    const { signal } = (this.waiting = new AbortController());
    const width = Math.max(200, Math.min(4000, Math.floor(this.chart.clientWidth)));
    const query = new URLSearchParams([...this.query, ["start", start], ["stop", stop], ["points", width]]);
    try {
      const view = await getJson("/api/tape", query, signal);
      signal.throwIfAborted();
      this.view = view;
      await this.#draw();
    } catch (error) {
      if (error.name !== "AbortError") byId("tape-status").textContent = error.message;
    }
  }

  async #draw() {
    const { start, stop, prints, trades, trades_inside: inside } = this.view;
    const price = prints ? printTraces(prints) : envelopeTraces(this.view.envelope);
    const data = [...price, ...tradeTraces(trades), ...this.#lines(), ...this.#marks()];
    const layout = {
      showlegend: true,
      margin: { l: 70, r: 20, t: 30, b: 40 },
      dragmode: "pan",
      xaxis: {
        range: [start - 0.5, stop - 0.5],
        tickvals: this.view.labels.map(({ print }) => print),
        ticktext: this.view.labels.map(({ text }) => text),
        title: { text: "prints, with Chicago time" },
      },
      yaxis: { tickformat: ",.10~g", fixedrange: true },
      shapes: this.view.rolls.map(rollLine),
      annotations: this.view.rolls.map(rollName),
    };
    await draw(this.chart, data, layout, this.themes, { scrollZoom: true });
    this.#listen();
    const shown = prints
      ? `${count(stop - start)} prints, one by one`
      : `${count(stop - start)} prints, lowest and highest of each column`;
    const others = inside > 1 ? (trades ? ", each a line from entry to exit" : ", too many to draw") : "";
    byId("tape-status").textContent =
      `${shown}; prints ${count(start)} to ${count(stop - 1)} of ${count(this.length)}; ${count(inside)} ${inside === 1 ? "trade" : "trades"}${others}`;
  }

  #listen() {
    if (this.listening) return;
    this.listening = true;
    this.chart.on("plotly_relayout", (change) => {
      const from = change["xaxis.range[0]"];
      const to = change["xaxis.range[1]"];
      if (from === undefined || to === undefined) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#load(from, to), ZOOM_WAIT);
    });
  }

  /** Entry and exit of the trade, and where its stop had moved to. */
  #marks() {
    const { entry, exit, entry_price: bought, exit_price: sold, side, text } = this.trade;
    const { stop_price: stop, last_stop_price: moved } = this.trade;
    const mark = (name, x, y, symbol) => ({
      type: "scatter",
      mode: "markers",
      name,
      x: [x],
      y: [y],
      marker: { symbol, size: 13, color: "rgba(0,0,0,0)", line: { width: 2, color: "#b07ce0" } },
      hovertemplate: `${name} %{y:,.10~g}<extra></extra>`,
    });
    const last = { ...mark("stop at the exit", exit, moved, "line-ew"), marker: LAST_STOP };
    return [
      ...(moved === null || moved === stop ? [] : [last]),
      mark("entry", entry, bought, side === "LONG" ? "triangle-up" : "triangle-down"),
      mark(`exit ${text.net_usd}`, exit, sold, "square"),
    ];
  }

  /** The bracket, and the worst and the best price, while the trade was open. */
  #lines() {
    const { entry, exit, side, entry_price: bought, target_price: target, stop_price: stop } = this.trade;
    const sign = side === "LONG" ? 1 : -1;
    const line = (name, y, color, dash) => ({
      type: "scatter",
      mode: "lines",
      name,
      x: [entry, Math.max(exit, entry + 1)],
      y: [y, y],
      line: { color, dash, width: 1.4 },
      hovertemplate: `${name} %{y:,.10~g}<extra></extra>`,
    });
    return [
      line("take profit", target, BUY, "solid"),
      line("stop loss", stop, SELL, "dash"),
      line("MFE", bought + sign * this.trade.mfe_points, BUY, "dot"),
      line("MAE", bought + sign * this.trade.mae_points, SELL, "dashdot"),
    ];
  }
}

function printTraces({ print, price, time, size, aggressor }) {
  const path = {
    type: "scatter",
    mode: "lines",
    x: print,
    y: price,
    line: { color: QUIET, width: 0.8, shape: "hv" },
    hoverinfo: "skip",
    showlegend: false,
  };
  const groups = AGGRESSORS.map(({ value, name, color, symbol }) => {
    const mine = aggressor.flatMap((side, k) => (side === value ? [k] : []));
    return {
      type: "scatter",
      mode: "markers",
      name: `${name} (${mine.length})`,
      x: mine.map((k) => print[k]),
      y: mine.map((k) => price[k]),
      text: mine.map((k) => `${size[k]} contracts, ${name}<br>${time[k].replace("T", " ")}<br>print ${print[k]}`),
      hovertemplate: "%{y:,.10~g}<br>%{text}<extra></extra>",
      marker: { color, symbol, size: 7 },
    };
  });
  return [path, ...groups.filter((trace) => trace.x.length)];
}

function envelopeTraces({ print, low, high }) {
  const line = { type: "scatter", mode: "lines", x: print, line: { color: BUY, width: 1, shape: "hv" } };
  return [
    { ...line, y: low, name: "low", showlegend: false, hovertemplate: "%{y:,.10~g}" },
    {
      ...line,
      y: high,
      name: "low to high",
      fill: "tonexty",
      fillcolor: "rgba(59,143,217,0.35)",
      hovertemplate: "%{y:,.10~g}",
    },
  ];
}

/** The other trades of the window, a line from entry to exit. */
function tradeTraces(trades) {
  if (!trades) return [];
  const line = (won) => {
    const mine = trades.net_usd.flatMap((net, k) => (net > 0 === won ? [k] : []));
    return {
      type: "scatter",
      mode: "lines",
      name: won ? "trades won" : "trades not won",
      x: mine.flatMap((k) => [trades.entry[k], trades.exit[k], null]),
      y: mine.flatMap((k) => [trades.entry_price[k], trades.exit_price[k], null]),
      line: { color: won ? BUY : SELL, width: 2 },
      opacity: 0.7,
      hoverinfo: "skip",
      showlegend: false,
    };
  };
  return [line(true), line(false)].filter((trace) => trace.x.length);
}

function rollLine({ print }) {
  return {
    type: "line",
    x0: print,
    x1: print,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: QUIET, width: 1, dash: "dot" },
  };
}

function rollName({ print, contract }) {
  return { x: print, yref: "paper", y: 1, yanchor: "top", xanchor: "left", text: contract, showarrow: false };
}
