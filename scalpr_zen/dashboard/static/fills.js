// The run under every fill model, and what its own prints say about its fills.

import { count, number, signed } from "./format.js";
import { byId, element, fillTable, signClass } from "./page.js";

const TARGETS = {
  touch: "the first print at its price",
  through: "a print beyond its price",
  queue: "its turn in the queue",
};
const STOPS = { trigger: "the print that triggers it", level: "its own price", next: "the next event" };
const COSTS = { zero: "no costs", set: "as set", pessimistic: "pessimistic" };
const MEASURES = {
  entry: ["entry", "signal to next event"],
  stop_trigger: ["stop", "price to triggering print"],
  stop_next: ["stop", "price to next event"],
};
const EVENTS = {
  entry_target: "later prints of the entry's own event reach the take profit: only entry=signal may fill there",
  entry_stop: "later prints of the entry's own event reach the stop: only entry=signal may fill there",
  target_first: "prints of the exit's event reach both: the take profit's came first and decided",
  stop_first: "prints of the exit's event reach both: the stop's came first and decided",
  entry_exit: "entry and exit lie in one event, which only entry=signal allows",
};

/** Say above the figures what stands there before the fill models are known. */
export function sayLine(words) {
  byId("fill-range").replaceChildren(`net P&L by fill model: ${words}`);
}

/** Tell above the figures, in a line, how far the fills decide. */
function showLine(table, entryNext) {
  const named = (row, entry) => ({ usd: row.net_usd, model: `${entry}${row.target_fill}, ${row.stop_fill}` });
  const ends = (rows) => {
    const nets = rows.sort((one, other) => one.usd - other.usd);
    const text = ({ usd, model }) => element("span", { class: signClass(usd) }, `${signed(usd, "usd")} (${model})`);
    return nets.length ? [text(nets[0]), " to ", text(nets.at(-1))] : ["no trades"];
  };
  const of = (costs) => table.filter((row) => row.costs === costs && row.trades).map((row) => named(row, ""));
  const own = [...of("set"), ...entryNext.map((row) => named(row, "entry=next, "))];
  const link = element("a", { href: "#fills" }, "net P&L by fill model");
  byId("fill-range").replaceChildren(link, ": ", ...ends(own), "; pessimistic costs: ", ...ends(of("pessimistic")));
}

/** Show the section of a run. */
export function showFills({ table, entry_next: entryNext, optimistic, slippage, same_event: events }, result) {
  showLine(table, entryNext);
  showModels(table, result.parameters);
  byId("optimistic").replaceChildren(...optimisticTexts(optimistic, result.parameters).map((text) => element("li", {}, text)));
  showSlippage(slippage, result.tape);
  const { trades, ...counts } = events;
  byId("same-event-of").textContent =
    `Of ${count(trades)} trades, those that the order of prints inside one event could have changed:`;
  const line = ([name, found]) => element("li", {}, `${count(found)}: ${EVENTS[name]}`);
  const found = Object.entries(counts).filter(([, many]) => many);
  byId("same-event").replaceChildren(...(found.length ? found.map(line) : [element("li", {}, "none")]));
}

function showModels(table, { queue_ahead: ahead }) {
  const model = (row) => `${row.target_fill} / ${row.stop_fill}`;
  const models = [...new Set(table.map(model))].map((name) => table.filter((row) => model(row) === name));
  const costs = ({ costs: name, commission, slippage_ticks: ticks }) =>
    name === "zero" ? COSTS.zero : `${COSTS[name]}: ${number(commission, "usd")}, ${tickCount(ticks)}`;
  const head = [
    ["take profit / stop", "fill at"],
    ...models[0].map((row) => ["net P&L", costs(row)]),
    "trades",
    "win rate",
    ["profit", "factor"],
    ["break-even cost", "a round turn"],
  ];
  const lines = models.map((rows) => {
    const set = rows.find(({ costs: name }) => name === "set");
    const own = rows.some((row) => row.this_run);
    const money = rows.map((row) => ({
      text: signed(row.net_usd, "usd"),
      class: `${signClass(row.net_usd)}${row.this_run ? " own" : ""}`,
      "aria-current": row.this_run ? "true" : null,
    }));
    const first = { text: model(set), below: own ? "this run" : "", class: "text" };
    const rates = [number(set.win_rate, "share"), number(set.profit_factor, "ratio")];
    const cells = [first, ...money, count(set.trades), ...rates, number(set.break_even_cost_usd, "usd")];
    return { key: `${set.target_fill} ${set.stop_fill}`, class: own ? "own" : "", cells };
  });
  fillTable(byId("fill-table"), head, lines);
  const words = (names) => Object.entries(names).map(([name, what]) => `${name}: ${what}`);
  byId("fill-words").textContent =
    `A take profit fills at ${words(TARGETS).join("; ")} behind ${count(ahead)} contracts. ` +
    `A stop fills at ${words(STOPS).join("; ")}. Costs are the commission of a contract and side, and slippage; ` +
    "the columns on the right are at the costs as set.";
}

/** A sentence for each rule; a stop that does not move ends no winning trade, whatever its fill. */
function optimisticTexts(optimistic, { trailing_stop: trailing, break_even_at: breakEven }) {
  if (trailing !== null || breakEven !== null) return optimistic.map(optimisticText);
  const ofTargets = optimistic.filter(({ rule }) => rule !== "stop_fill");
  return [...ofTargets.map(optimisticText), "stop_fill: no winning trade depends on it, because a fixed stop never closes a winner"];
}

function optimisticText({ rule, optimistic, conservative, wins, lost, share, less_usd: less }) {
  if (!wins) return `No trade wins under ${rule}=${optimistic}, so that ${conservative} takes none away.`;
  return (
    `Of ${count(wins)} trades that win under ${rule}=${optimistic}, ${count(lost)} (${number(share, "share")}) ` +
    `do not win under ${conservative}, and all of them earn ${number(less, "usd")} less there.`
  );
}

function showSlippage(slippage, { tick_value: usd }) {
  const percentiles = ["5", "25", "50", "75", "95", "99"];
  const head = [
    ["ticks", "lost (-: gained)"],
    "trades",
    "mean",
    ["mean", "a contract"],
    ...percentiles.map((p) => `${p}%`),
    "worst",
    ["spread", "other side's prints"],
  ];
  const rows = Object.entries(MEASURES).map(([key, name]) => {
    const { trades, mean_ticks: mean, worst_ticks: worst, percentiles: found, inside_share: inside } = slippage[key];
    const money = signed(mean === null ? null : mean * usd, "usd");
    const ticks = [...percentiles.map((p) => found[p]), worst].map((tick) => signed(tick, ""));
    const first = { text: name[0], below: name[1], class: "text" };
    return { key, cells: [first, count(trades), signed(mean, "ratio"), money, ...ticks, number(inside, "share")] };
  });
  fillTable(byId("slippage"), head, rows);
}

function tickCount(ticks) {
  return `${count(ticks)} ${ticks === 1 ? "tick" : "ticks"}`;
}
