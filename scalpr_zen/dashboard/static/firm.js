// A prop firm's evaluation: its rules, what became of every attempt, and of paths of drawn session dates.

import { count, number, signed } from "./format.js";
import { byId, element, fillTable, refill, signClass } from "./page.js";

const TRAILED = { end_of_day: "the best balance at the end of a day", peak_equity: "the peak of the open equity" };
const BREACHES = { day_over: "the day is over", bust: "the account is bust" };
const SIGNS = { pass: "\u2713 ", bust: "\u2717 ", unfinished: "" };
const LOOKS = { pass: "good", bust: "bad", unfinished: "" };
const DRAWN = { pass: "P(pass)", bust: "P(bust)", neither: "P(neither)" };

const usd = (value) => number(value, "usd");

/** Show the section of a run; with prop_firm=none there is but its name. */
export function showFirm(firm) {
  const { rules, notes = [], counts, attempts, drawn } = firm;
  byId("firm-rules").replaceChildren(...(rules ? ruleLines(rules) : []));
  byId("firm-note").textContent = rules ? rules.note : "prop_firm is none: no evaluation is walked.";
  byId("firm-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
  byId("firm-counts").textContent = "";
  byId("firm-more").hidden = !attempts;
  if (!attempts) return;
  const { passed, busted, unfinished } = counts;
  byId("firm-counts").textContent =
    `${plural(counts.attempts, "attempt")} one after the other: ${count(passed)} passed, ${count(busted)} busted, ` +
    `${count(unfinished)} unfinished. The next one begins on the session date after the last one ended.`;
  showDrawn(drawn);
  showAttempts(attempts, attempts[0]);
}

function ruleLines(rules) {
  const { account_usd: account, lock_usd: lock, daily_loss_usd: daily, consistency, changed } = rules;
  const lines = {
    "rule set": `${rules.title} (${rules.name})${changed.length ? `, with ${changed.join(", ")} as given` : ""}`,
    account: `${usd(account)}; a profit of ${usd(rules.target_usd)} at the end of a session date passes`,
    floor:
      `${usd(rules.drawdown_usd)} below ${TRAILED[rules.drawdown_kind]}; ` +
      (lock === null ? "it never locks" : `it locks at ${usd(account + lock)}`),
    "loss of a day": daily === null ? "no limit" : `limit ${usd(daily)}: ${BREACHES[rules.daily_loss_breach]}`,
    "trading days": `at least ${count(rules.min_days)}`,
    "best day":
      consistency === null ? "any share of the profit" : `at most ${number(consistency, "share")} of the profit`,
    contracts: rules.contracts ? `at most ${count(rules.contracts)}, ten micros counted as one` : "any number",
  };
  if (rules.known) lines["known to hold on"] = `${rules.known}; a firm changes its rules without notice`;
  if (rules.sources.length) lines.sources = rules.sources.join("\n");
  return Object.entries(lines).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
}

function showDrawn(drawn) {
  const made = drawn.sims !== undefined;
  byId("firm-drawn-of").textContent = made
    ? `${plural(drawn.sims, "path")} of ${count(drawn.horizon_days)} session dates, drawn with replacement from the ` +
      `tape's ${count(drawn.session_dates)}, seed ${drawn.seed}. The number of dates is over the paths that passed or busted.`
    : "Drawn session dates: n/a, as prop_sims is 0 or fewer than two session dates count.";
  byId("firm-drawn").hidden = !made;
  if (!made) return;
  const head = [
    `within ${count(drawn.horizon_days)} dates`,
    "share of paths",
    ["95%, had the tape", "had other such dates"],
    ["95%, of the", "drawing alone"],
    "dates, median",
    "5% to 95%",
    "mean",
    ["95%, of the", "drawing alone"],
  ];
  const rows = Object.entries(DRAWN).map(([key, name]) => {
    const { probability, low, high, dates_low: datesLow, dates_high: datesHigh } = drawn[key];
    const within = (a, b) => (a === null ? "n/a" : `${number(a, "share")} to ${number(b, "share")}`);
    const shares = [number(probability, "share"), within(datesLow, datesHigh), within(low, high)];
    return { key, cells: [name, ...shares, ...spread(drawn[`days_to_${key}`])] };
  });
  fillTable(byId("firm-drawn"), head, rows);
}

/** Session dates until an end, in words; paths without an end have none. */
function spread(found) {
  if (!found) return ["", "", "", ""];
  const { median, p5, p95, mean, mean_low: low, mean_high: high } = found;
  return [dates(median), span(p5, p95), dates(mean), span(low, high)];
}

function showAttempts(attempts, chosen) {
  const head = ["attempt", "outcome", "profit", "from", "to", ["session", "dates"], ["trading", "days"], "why"];
  const rows = attempts.map((attempt) => {
    const { number: n, outcome, profit_usd: profit } = attempt;
    const about = {
      type: "button",
      "aria-pressed": String(attempt === chosen),
      "aria-label": `Day by day: attempt ${n}`,
      onclick: () => showAttempts(attempts, attempt),
    };
    return {
      key: n,
      class: attempt === chosen ? "own" : "",
      cells: [
        element("button", about, String(n)),
        { text: SIGNS[outcome] + outcome, class: `text ${LOOKS[outcome]}` },
        { text: signed(profit, "usd"), class: signClass(profit) },
        attempt.first_session,
        attempt.last_session,
        count(attempt.session_dates),
        count(attempt.trading_days),
        { text: attempt.reason, class: "text" },
      ],
    };
  });
  const table = element("table");
  fillTable(table, head, rows);
  refill(byId("firm-attempts"), ...table.childNodes);
  showDays(chosen);
}

function showDays({ number: n, outcome, reason, days }) {
  byId("firm-days-of").textContent = `Attempt ${n}, day by day. ${outcome}: ${reason}.`;
  const head = ["session date", "trades", "net P&L", "balance", ["lowest", "above floor"], "floor", "note"];
  const rows = days.map((day) => ({
    key: day.session_date,
    cells: [
      day.session_date,
      count(day.trades),
      { text: signed(day.net_usd, "usd"), class: signClass(day.net_usd) },
      usd(day.balance_usd),
      usd(day.lowest_above_floor_usd),
      usd(day.floor_usd),
      { text: day.ended_by ? `ended by the ${day.ended_by}` : day.trading_day ? "" : "no trading day", class: "text" },
    ],
  }));
  fillTable(byId("firm-days"), head, rows);
}

function plural(many, word) {
  return `${count(many)} ${word}${many === 1 ? "" : "s"}`;
}

function span(low, high) {
  return low === null ? "n/a" : `${dates(low)} to ${dates(high)}`;
}

function dates(value) {
  return value === null ? "n/a" : value.toFixed(1);
}
