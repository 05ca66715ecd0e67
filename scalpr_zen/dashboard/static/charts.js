// The charts: figures of the server, drawn when they are in sight, in the theme of the system.

import { element, showError, tip } from "./page.js";

const CONFIG = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false, // a button that would send the chart to another host
  modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"], // the button of a chart saves its title too
};
const light = matchMedia("(prefers-color-scheme: light)");

let loading = null;

/** plotly.js, loaded once the figures are painted: reading its 5 MB keeps the page from painting for a second. */
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", {
      src: "/plotly.js",
      onload: () => resolve(window.Plotly),
      onerror: () => {
        loading = null;
        reject(new Error("plotly.js could not be loaded: the charts are missing"));
      },
    });
    requestAnimationFrame(() => setTimeout(() => document.head.append(script)));
  });
  return loading;
}

/** Draw a figure into an element, in the theme of the system. */
export async function draw(place, data, layout, themes, config = {}) {
  const template = themes[light.matches ? "light" : "dark"];
  return (await plotly()).react(place, data, { ...layout, template }, { ...CONFIG, ...config });
}

/** Keep a chart as large as its element, whatever else on the page changes size. */
export function keepFitting(place) {
  new ResizeObserver(async () => {
    if (place.data && place.clientHeight) (await plotly()).Plots.resize(place);
  }).observe(place);
}

/** Call a function whenever the system changes between dark and light. */
export function onTheme(changed) {
  light.addEventListener("change", changed);
}

export class Charts {
  constructor(themes) {
    this.themes = themes;
    this.shown = new Map(); // name -> { box, plot, figure, drawn }
    this.sight = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "200px" });
    onTheme(() => this.#again());
  }

  /** Name the run, for the title of an image. */
  name(text) {
    this.run = text;
  }

  /** Take new figures of a place; resolves when those in sight are drawn. */
  async show(figures, place) {
    for (const [name, figure] of Object.entries(figures)) {
      const chart = this.shown.get(name) ?? this.#make(name, figure, place);
      Object.assign(chart, { figure, drawn: false });
      chart.box.classList.remove("stale");
    }
    await Promise.all(Object.keys(figures).map((name) => this.#draw(this.shown.get(name))));
  }

  #make(name, figure, place) {
    const title = figure.layout.title.text;
    const { sentence, wide } = figure.layout.meta;
    const plot = element("div", { class: "plot", role: "group", "aria-label": `${title}. ${sentence}` });
    const save = element(
      "button",
      { type: "button", "aria-label": `Save ${title} as an image`, onclick: () => this.#save(name) },
      "PNG",
    );
    const caption = element("figcaption", {}, tip(title, sentence), save);
    const box = element(
      "figure",
      { class: wide ? "chart wide" : "chart", id: `chart-${name}` },
      caption,
      plot,
    );
    const chart = { box, plot, inSight: false };
    place.append(box);
    this.shown.set(name, chart);
    const { top } = box.getBoundingClientRect();
    chart.inSight = top < innerHeight + 200;
    this.sight.observe(box);
    return chart;
  }

  #seen(entries) {
    for (const entry of entries) {
      const chart = [...this.shown.values()].find(({ box }) => box === entry.target);
      chart.inSight = entry.isIntersecting;
      this.#draw(chart);
    }
  }

  async #draw(chart) {
    if (chart.drawn || !chart.inSight) return;
    chart.drawn = true;
    const { data, layout } = chart.figure;
    const { title, ...rest } = layout;
    const inPage = { ...rest, margin: { ...rest.margin, t: 26 }, uirevision: 1 };
    try {
      await draw(chart.plot, data, inPage, this.themes);
    } catch (error) {
      chart.drawn = false;
      showError(error);
    }
  }

  #again() {
    for (const chart of this.shown.values()) {
      chart.drawn = false;
      this.#draw(chart);
    }
  }

  /** Save a chart as an image with its title and the run in it. */
  async #save(name) {
    const { plot, figure } = this.shown.get(name);
    const title = { text: `${figure.layout.title.text}  ${this.run}` };
    const { backgroundColor: page } = getComputedStyle(document.body);
    const layout = { ...plot.layout, title, margin: { t: 64 }, paper_bgcolor: page, plot_bgcolor: page };
    const size = { width: Math.max(700, plot.clientWidth), height: plot.clientHeight + 40, scale: 2 };
    const file = { format: "png", filename: `scalpr_zen_${name}`, ...size };
    await (await plotly()).downloadImage({ data: plot.data, layout }, file);
  }
}
