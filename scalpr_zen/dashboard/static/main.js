// The page: the URL holds the parameters; a change of it runs once, and the answer fills every part.

import { showFigures } from "./cards.js";
import { Charts } from "./charts.js";
import { awaitChecks, failChecks, failWaiting, showChecks, showFillsPart } from "./checks.js";
import { count, number, short } from "./format.js";
import { ParameterForm } from "./form.js";
import { TradeLog } from "./log.js";
import { byId, element, getJson, showError } from "./page.js";
import { showRuns } from "./runs.js";
import { TapeView } from "./tape.js";
import { showTips } from "./tips.js";

const LATER_AFTER = 120; // ms a run must stand before what comes later is asked for
const MONTE_CARLO = ["paths_permuted", "paths_of_days", "drawdowns"];
const LATER = {
  fills: showFillsPart,
  monte_carlo: () => null,
  checks: (answer, result) => {
    showChecks(answer, result);
    document.body.dataset.checks = page.run.query;
  },
};
const RULED = {
  other_side: "of the other side",
  outside: "outside the hours of entry",
  session_over: "after a limit ended their session",
  in_cooldown: "in a cooldown",
};

const page = { run: null, pinned: null, waiting: null, edit: null, later: null };
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

/**
 * Run the parameters of the URL and show the result; a run that another one overtakes is dropped.
 * @param asked a query and its answer, where it was asked for before
 */
async function run(asked = null) {
  clearTimeout(page.edit);
  page.edit = null;
  clearTimeout(page.later);
  page.waiting?.abort();
  const { signal } = (page.waiting = new AbortController());
  const { query, pin } = fromUrl();
  const clock = showClock();
  try {
    const known = asked?.query === query.toString();
    const answer = await (known ? asked.answer : getJson("/api/run", query, signal));
    const pinned = await pinnedRun(pin, signal);
    signal.throwIfAborted();
    Object.assign(page, { run: { ...answer, query }, pinned });
    showError(null);
    await show(signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("timing").textContent = "";
    byId("results").classList.add("stale");
    failWaiting("the run before them failed");
    parts.form.blame(error.message);
    showError(error);
  } finally {
    clearInterval(clock);
  }
}

/** The pinned run: known already, or asked for again; one that is refused is unpinned. */
async function pinnedRun(pin, signal) {
  if (pin === null) return null;
  if (page.pinned?.pin === pin) return page.pinned;
  if (page.run?.query.toString() === pin) return { ...page.run, pin };
  try {
    return { ...(await getJson("/api/run", pin, signal)), pin };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    toUrl(fromUrl().query, null, "replaceState");
    return null;
  }
}

async function show(signal) {
  const { result, figures, query } = page.run;
  parts.form.blame("");
  byId("results").classList.remove("stale");
  showFigures(parts.about, result, page.pinned?.result ?? null);
  showCounts(result);
  showPin();
  showDownloads(query);
  parts.charts.name([result.parameters.strategy, result.tape.root, ...query].join(" ").replaceAll(",", "="));
  parts.charts.dim(MONTE_CARLO);
  awaitChecks();
  const drawn = parts.charts.show(figures, page.pinned?.figures);
  parts.log.show(query);
  showRuns(choose).catch(showError);
  await drawn;
  if (signal.aborted) return;
  showTime(result.manifest);
  document.body.dataset.run = query; // for whoever waits for the picture of a run
  page.later = setTimeout(() => later(query, result, signal), LATER_AFTER);
}

/** What comes later arrives by itself, after the rest, the most telling first. */
async function later(query, result, signal) {
  for (const [name, show] of Object.entries(LATER)) {
    try {
      await addFigures(`/api/${name}`, query, signal, (answer) => show(answer, result));
    } catch (error) {
      if (error.name === "AbortError") return;
      failChecks(name, error.message);
      showError(error);
    }
  }
}

async function addFigures(path, query, signal, show = () => null) {
  const answer = await getJson(path, query, signal);
  signal.throwIfAborted();
  show(answer);
  await parts.charts.show(answer.figures);
}

function showTime({ signals_seconds: signals, wall_seconds: seconds, prints_per_second: rate }) {
  const kept = signals === 0 ? ", signals known before" : "";
  byId("timing").textContent = `run ${number(seconds, "seconds")}, ${short(rate)} prints/s${kept}`;
}

/** Show how long a run is going on, where it takes longer than a moment. */
function showClock() {
  const started = performance.now();
  return setInterval(() => {
    byId("timing").textContent = `running ${number((performance.now() - started) / 1000, "seconds")}`;
  }, 500);
}

/** What became of every signal. */
function showCounts({ counts }) {
  const { signals, closed, void: voided, open, unfilled, ignored } = counts;
  const ruled = Object.entries(RULED).filter(([name]) => counts[name]);
  byId("counts").textContent =
    `${count(signals)} signals: ${count(closed)} trades, ${count(ignored)} ignored as a position was open, ` +
    `${count(unfilled)} unfilled, ${count(voided)} void at a roll, ${count(open)} open at the end` +
    ruled.map(([name, why]) => `, ${count(counts[name])} ${why}`).join("");
}

function showPin() {
  const button = byId("pin");
  button.disabled = false;
  button.setAttribute("aria-pressed", page.pinned !== null);
  button.textContent = page.pinned ? "Unpin" : "Pin this run";
  const changed = [...new URLSearchParams(page.pinned?.pin ?? "")].map((pair) => pair.join(" "));
  byId("pinned").textContent = page.pinned ? `pinned: ${changed.join(", ") || "the defaults"}` : "";
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

/** Run what was edited, once: a field tells of its end as well, which may be known already. */
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
  byId("ledgers").textContent = tape.lines.join("\n").trim();
}

function listen() {
  addEventListener("popstate", () => {
    parts.form.show(fromUrl().query);
    run();
  });
  byId("defaults").addEventListener("click", () => choose(new URLSearchParams()));
  byId("pin").addEventListener("click", () => {
    toUrl(fromUrl().query, page.pinned ? null : page.run.query.toString(), "pushState");
    run();
  });
}

async function start() {
  const { query } = fromUrl();
  const asked = { query: query.toString(), answer: getJson("/api/run", query) }; // while the page is made
  asked.answer.catch(() => null); // told where it is awaited
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
  const view = new TapeView(parts.about);
  parts.log = new TradeLog(parts.about, (trade, query) => view.open(query, trade));
  listen();
  await run(asked);
}

start();
