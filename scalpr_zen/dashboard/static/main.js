// The page: the URL holds the parameters; each change of it starts one run, and the answer fills every part.

import { Charts } from "./charts.js";
import { ParameterForm } from "./form.js";
import { TradeLog } from "./log.js";
import { byId, count, element, getJson, showError } from "./page.js";
import { showRuns } from "./runs.js";
import { Sections } from "./sections.js";
import { TapeView } from "./tape.js";
import { showTips } from "./tips.js";

const LATER_AFTER = 120; // ms a run must stand before the slow sections are asked for

const page = { query: null, waiting: null, edit: null, later: null, unpinned: "" };
const parts = {};

/** The URL's parameters of the run, and those of the pinned one or null. */
function fromUrl() {
  const query = new URLSearchParams(location.search);
  const pin = query.get("pin");
  query.delete("pin");
  return { query, pin };
}

function toUrl(query, pin, how) {
  const all = new URLSearchParams(query);
  if (pin !== null) all.set("pin", pin);
  const text = all.toString();
  history[how](null, "", text ? `?${text}` : location.pathname);
}

/** The whole query of the URL, as the server takes it: the parameters of a run, and `pin`. */
const asked = () => location.search.slice(1);

/**
 * Run the parameters of the URL and show the result; a run that a later one overtakes is dropped.
 * @param known a query and its answer, if it was asked for before
 */
async function run(known = null) {
  clearTimeout(page.edit);
  page.edit = null;
  clearTimeout(page.later);
  page.waiting?.abort();
  const { signal } = (page.waiting = new AbortController());
  const query = asked();
  delete document.body.dataset.complete;
  const clock = showClock();
  try {
    const answer = await (known?.query === query ? known.answer : getJson("/api/run", query, signal));
    signal.throwIfAborted();
    page.query = fromUrl().query;
    showError(null);
    await show(answer, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.parameters?.includes("pin")) {
      toUrl(fromUrl().query, null, "replaceState"); // a pin that the server no longer accepts
      page.unpinned = `unpinned: ${error.message}`;
      run();
      return;
    }
    byId("timing").textContent = "";
    byId("results").classList.add("stale");
    parts.sections.failWaiting("the run before them failed");
    parts.form.blame(error);
    showError(error);
  } finally {
    clearInterval(clock);
  }
}

async function show(answer, signal) {
  const { query } = page;
  parts.form.blame(null);
  byId("results").classList.remove("stale");
  showPin();
  showDownloads(query);
  parts.charts.name([answer.name, ...query].join(" ").replaceAll(",", "="));
  const drawn = parts.sections.show(answer);
  parts.log.show(query);
  showRuns(choose).catch(showError);
  await drawn;
  if (signal.aborted) return;
  byId("timing").textContent = answer.timing;
  document.body.dataset.run = query; // for tests and tools that wait for a run to be shown
  page.later = setTimeout(() => later(query, signal), LATER_AFTER);
}

/** Ask for the slow sections, and show each when it comes. */
async function later(query, signal) {
  await Promise.all(
    parts.sections.later.map(async (name) => {
      try {
        const section = await getJson(`/api/section/${name}`, query, signal);
        signal.throwIfAborted();
        await parts.sections.fill(name, section);
      } catch (error) {
        if (error.name === "AbortError") return;
        parts.sections.fail(name, error.message);
        showError(error);
      }
    }),
  );
  if (!signal.aborted) document.body.dataset.complete = query;
}

/** Show how long a run has been going on, if it takes longer than a moment. */
function showClock() {
  const started = performance.now();
  return setInterval(() => {
    byId("timing").textContent = `running ${((performance.now() - started) / 1000).toFixed(1)} s`;
  }, 500);
}

function showPin() {
  const { pin } = fromUrl();
  const button = byId("pin");
  button.disabled = false;
  button.setAttribute("aria-pressed", pin !== null);
  button.textContent = pin === null ? "Pin this run" : "Unpin";
  const changed = [...new URLSearchParams(pin ?? "")].map((pair) => pair.join(" "));
  byId("pinned").textContent = pin === null ? page.unpinned : `pinned: ${changed.join(", ") || "the defaults"}`;
}

function showDownloads(query) {
  const link = (suffix) => {
    const text = suffix === "html" ? "charts html" : `report ${suffix}`;
    return element("a", { href: `/api/report.${suffix}?${query}`, download: true }, text);
  };
  byId("downloads").replaceChildren(...["txt", "json", "csv", "html"].map(link));
}

/** Show another run: its parameters become the URL's. */
function choose(query) {
  toUrl(query, fromUrl().pin, "pushState");
  parts.form.show(query);
  run();
}

/** Run what was edited, once: the end of an edit is an event too, and may change nothing. */
function edited(first, wait) {
  const before = location.search;
  toUrl(parts.form.query, fromUrl().pin, first ? "pushState" : "replaceState");
  if (location.search === before && page.edit === null) return;
  clearTimeout(page.edit);
  page.edit = setTimeout(() => run(), wait);
}

function showTape({ tape }) {
  const dates = tape.session_dates.join(" to ");
  byId("about").textContent = `${tape.root} ${tape.name}, ${count(tape.prints)} prints, ${dates}, ${tape.path}`;
  byId("synthetic").hidden = byId("badge").hidden = !tape.synthetic;
}

function listen() {
  addEventListener("popstate", () => {
    parts.form.show(fromUrl().query);
    run();
  });
  byId("defaults").addEventListener("click", () => choose(new URLSearchParams()));
  byId("pin").addEventListener("click", () => {
    page.unpinned = "";
    toUrl(fromUrl().query, fromUrl().pin === null ? page.query.toString() : null, "pushState");
    run();
  });
}

async function start() {
  const first = { query: asked(), answer: getJson("/api/run", asked()) }; // while the page is made
  first.answer.catch(() => null); // shown where it is awaited
  try {
    parts.about = await getJson("/api/about");
  } catch (error) {
    showError(error);
    return;
  }
  showTape(parts.about);
  showTips();
  byId("panel").open = !matchMedia("(max-width: 900px)").matches;
  parts.form = new ParameterForm(parts.about.groups, edited);
  parts.form.show(fromUrl().query);
  parts.charts = new Charts(parts.about.themes);
  parts.sections = new Sections(parts.about.sections, parts.charts);
  const view = new TapeView(parts.about);
  parts.log = new TradeLog(parts.about, (trade, query) => view.open(query, trade));
  listen();
  await run(first);
}

start();
