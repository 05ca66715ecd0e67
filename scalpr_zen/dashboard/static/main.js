// The page: the URL holds the parameters; a change of it runs once, and the answer fills every part.

import { showFigures } from "./cards.js";
import { Charts } from "./charts.js";
import { count, number, short } from "./format.js";
import { ParameterForm } from "./form.js";
import { TradeLog } from "./log.js";
import { byId, element, getJson, showError } from "./page.js";
import { showRuns } from "./runs.js";
import { TapeView } from "./tape.js";
import { showTips } from "./tips.js";

const DEBOUNCE = 30; // ms between the last edit and its run
const MONTE_CARLO_AFTER = 120; // ms a run must stand before its paths are asked for

const page = { first: null, run: null, pinned: null, waiting: null, timer: null };

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

/** Run the parameters of the URL and show the result; a run that another one overtakes is dropped. */
async function run() {
  clearTimeout(page.timer);
  page.waiting?.abort();
  const waiting = (page.waiting = new AbortController());
  const { query, pin } = fromUrl();
  const clock = showClock();
  try {
    const [answer, pinned] = await Promise.all([
      page.first ?? getJson("/api/run", query, waiting.signal),
      pin === null ? null : pinnedRun(pin, waiting.signal),
    ]);
    Object.assign(page, { run: { ...answer, query }, pinned });
    await show();
    document.body.dataset.run = query; // for whoever waits for the picture of a run
    page.timer = setTimeout(() => monteCarlo(query, waiting.signal), MONTE_CARLO_AFTER);
  } catch (error) {
    if (error.name === "AbortError") return;
    showError(error);
    parts.form.blame(error.message);
    byId("results").classList.add("stale");
  } finally {
    page.first = null;
    clearInterval(clock);
  }
}

/** The pinned run: known already, or asked for again. */
async function pinnedRun(pin, signal) {
  if (page.pinned?.pin === pin) return page.pinned;
  if (page.run && page.run.query.toString() === pin) return { ...page.run, pin };
  return { ...(await getJson("/api/run", pin, signal)), pin };
}

async function show() {
  const { result, figures, query } = page.run;
  showError(null);
  parts.form.blame("");
  byId("results").classList.remove("stale");
  showFigures(parts.about.statistics, result, page.pinned?.result ?? null);
  const { wall_seconds: seconds, prints_per_second: rate } = result.manifest;
  byId("timing").textContent = `run ${number(seconds, "seconds")}, ${short(rate)} prints/s`;
  showPin();
  showDownloads(query);
  parts.charts.dim(["paths_permuted", "paths_of_days", "drawdowns"]);
  await parts.charts.show(figures, page.pinned?.figures);
  parts.log.show(query);
  showRuns(choose).catch(showError);
}

/** The Monte Carlo paths arrive by themselves, after the rest. */
async function monteCarlo(query, signal) {
  try {
    const { figures } = await getJson("/api/monte_carlo", query, signal);
    await parts.charts.show(figures);
  } catch (error) {
    if (error.name !== "AbortError") showError(error);
  }
}

/** Show how long a run is going on, where it takes longer than a moment. */
function showClock() {
  const started = performance.now();
  return setInterval(() => {
    byId("timing").textContent = `running ${number((performance.now() - started) / 1000, "seconds")}`;
  }, 500);
}

function showPin() {
  const button = byId("pin");
  button.setAttribute("aria-pressed", page.pinned !== null);
  button.textContent = page.pinned ? `Unpin (${page.pinned.pin || "defaults"})` : "Pin this run";
}

function showDownloads(query) {
  const links = ["txt", "json", "csv", "html"].map((suffix) =>
    element("a", { href: `/api/report.${suffix}?${query}`, download: true }, suffix === "html" ? "charts html" : `report ${suffix}`),
  );
  byId("downloads").replaceChildren(...links);
}

/** Show another run: its parameters become the URL's. */
function choose(query) {
  toUrl(query, fromUrl().pin, "pushState");
  parts.form.show(query);
  run();
}

function edited(first) {
  toUrl(parts.form.query, fromUrl().pin, first ? "pushState" : "replaceState");
  clearTimeout(page.timer);
  page.timer = setTimeout(run, DEBOUNCE);
}

const parts = {};

async function start() {
  const { query } = fromUrl();
  page.first = getJson("/api/run", query); // while the page is made
  page.first.catch(() => null); // told where it is awaited
  try {
    parts.about = await getJson("/api/about");
  } catch (error) {
    showError(error);
    return;
  }
  const { tape, groups, themes } = parts.about;
  byId("about").textContent = `${tape.root} ${tape.name}, ${count(tape.prints)} prints, ${tape.session_dates.join(" to ")}, ${tape.path}`;
  byId("synthetic").hidden = !tape.synthetic;
  showTips();
  byId("panel").open = !matchMedia("(max-width: 900px)").matches;
  parts.form = new ParameterForm(groups, edited);
  parts.form.show(query);
  parts.charts = new Charts(themes);
  const view = new TapeView(parts.about);
  parts.log = new TradeLog(parts.about, (trade) => view.open(page.run.query, trade));
  addEventListener("popstate", () => {
    parts.form.show(fromUrl().query);
    run();
  });
  byId("defaults").addEventListener("click", () => choose(new URLSearchParams()));
  byId("pin").addEventListener("click", () => {
    toUrl(fromUrl().query, page.pinned ? null : page.run.query.toString(), "pushState");
    run();
  });
  await run();
}

start();
