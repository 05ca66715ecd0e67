// The figures of a run beside buy & hold and beside the pinned run.

import { difference, number, signed } from "./format.js";
import { byId, element, tip } from "./page.js";

const CARDS = [
  "trades",
  "win_rate",
  "net_usd",
  "profit_factor",
  "max_drawdown_usd",
  "sharpe",
  "expectancy_usd",
  "average_win_usd",
  "average_loss_usd",
  "payoff",
  "best_day_usd",
  "worst_day_usd",
];

/** Show the cards, the validation and the table of all statistics; `pinned` is a result or null. */
export function showFigures({ statistics, by_segment: bySegment }, result, pinned) {
  const rows = statistics.map((statistic) => ({
    ...statistic,
    ...compared(statistic, result, pinned),
    hold: bySegment.includes(statistic.key) ? "hold, by segment" : "buy & hold",
  }));
  showNotes(result.notes);
  byId("cards").replaceChildren(...CARDS.map((key) => card(rows.find((row) => row.key === key))));
  byId("validation").replaceChildren(
    ...validation(
      rows.filter((row) => row.target),
      pinned,
    ),
  );
  byId("statistics").replaceChildren(...everything(rows, pinned));
}

/** Show the assumptions of a run. */
export function showNotes(notes) {
  const look = (note) => (note.startsWith("OPTIMISTIC") ? "optimistic" : "");
  byId("notes").replaceChildren(...notes.map((note) => element("li", { class: look(note) }, note)));
}

function compared({ key, unit, missing: none }, { statistics, baseline, verdicts }, pinned) {
  const value = statistics[key];
  const shown = ({ trades, [key]: own }) => (own === null && trades ? none : number(own, unit));
  const [low, high] = [statistics[`${key}_low`], statistics[`${key}_high`]];
  const held = baseline[key];
  const beside = baseline.strategy[key]; // what the difference is taken from, where that is not the value
  return {
    text: shown(statistics),
    interval: low === undefined ? null : `${number(low, unit)} to ${number(high, unit)}`,
    beside: beside === undefined || beside === value ? null : number(beside, unit),
    held: held === undefined ? null : number(held, unit),
    apart: held === undefined ? null : signed(baseline.difference[key], unit),
    pinned: pinned && shown(pinned.statistics),
    change: pinned && signed(difference(value, pinned.statistics[key]), unit),
    verdict: verdicts[key],
  };
}

function card({ key, label, definition, text, interval, hold, beside, held, apart, pinned, change }) {
  const segments = hold === "buy & hold" ? "" : "; of buy & hold each segment, from roll to roll, is one trade";
  const more = element("dl");
  const line = (name, value) => more.append(element("dt", {}, name), element("dd", {}, value));
  if (interval !== null) line("95%", interval);
  if (beside !== null) line("by day", beside);
  if (held !== null) {
    line(hold, held);
    line("difference", apart);
  }
  if (pinned) {
    line("pinned", pinned);
    line("change", change);
  }
  const value = element("div", { class: "value" }, text);
  return element("div", { class: "card", "data-key": key }, tip(label, definition + segments, "div"), value, more);
}

function validation(rows, pinned) {
  const head = ["", "value", "verdict", "target", ...(pinned ? ["pinned", "change"] : [])];
  return table(head, rows, ({ label, definition, text, target, verdict, ...row }) => [
    tip(label, definition),
    text,
    badge(verdict),
    target,
    ...(pinned ? [row.pinned, row.change] : []),
  ]);
}

function everything(rows, pinned) {
  const head = ["", "value", "buy & hold", "difference", ...(pinned ? ["pinned", "change"] : []), "definition"];
  return table(head, rows, ({ label, text, beside, held, apart, definition, ...row }) => [
    label,
    beside === null ? text : `${text} (by day ${beside})`,
    held ?? "",
    apart ?? "",
    ...(pinned ? [row.pinned, row.change] : []),
    definition,
  ]);
}

function badge(verdict) {
  const sign = { PASS: "\u2713 ", FAIL: "\u2717 " }[verdict] ?? "";
  return element("span", { class: { PASS: "good", FAIL: "bad" }[verdict] ?? "" }, sign + verdict);
}

function table(head, rows, cells) {
  const about = head.map((name) => ({ class: name === "definition" ? name : "" }));
  const line = (row) => cells(row).map((cell, k) => element("td", about[k], cell));
  return [
    element(
      "thead",
      {},
      element("tr", {}, ...head.map((name, k) => element("th", { scope: "col", ...about[k] }, name))),
    ),
    element("tbody", {}, ...rows.map((row) => element("tr", { "data-key": row.key }, ...line(row)))),
  ];
}
