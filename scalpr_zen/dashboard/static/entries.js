// Random entries: the strategy among runs of the same bracket, costs and hours whose entries are drawn.

import { count, number } from "./format.js";
import { byId, fillTable } from "./page.js";

/** Show the section of a run; it is empty without random runs or without trades. */
export function showEntries(entries, { statistics, parameters }) {
  const found = entries.sims !== undefined;
  byId("entries-more").hidden = !found;
  byId("entries-words").textContent = found
    ? words(entries, statistics)
    : `There is nothing to compare: ${count(statistics.trades)} trades, random_entry_sims=${parameters.random_entry_sims}, ` +
      `limit_basis=${parameters.limit_basis} (entries by themselves have no money of a session), ` +
      `overlap=${parameters.overlap} (trades that share their prints are not as many as they seem).`;
  if (!found) return;
  const { method, pool, percentiles_usd: percentiles, strategy_inside_share: own, inside_share: drawn } = entries;
  const names = Object.keys(percentiles);
  const head = ["", "mean", ["standard", "deviation"], ...names.map((p) => `${p}%`)];
  const usd = [entries.mean_usd, entries.sd_usd, ...names.map((p) => percentiles[p])];
  const cells = ["net P&L", ...usd.map((value) => number(value, "usd"))];
  fillTable(byId("entries-table"), head, [{ cells }]);
  byId("entries-how").textContent =
    "Each run has as many entries on each side in each hour of the day as the strategy, at prints of that hour drawn from " +
    "all session dates, where the entry windows allow, under the same bracket, fills and costs. Each entry is traded on " +
    "its own: no cooldown, no limit of a session, no wait for the trade before. " +
    (method === "exact"
      ? "Exact: the result of an entry at every print is known, and the runs draw from all of them. "
      : `Sampled: ${count(pool)} random entries were traded for each of the strategy's; the runs draw from these. `) +
    `The deviation of a trade is ${number(entries.strategy_trade_sd_usd, "usd")}, that of a random entry ` +
    `${number(entries.trade_sd_usd, "usd")}. At prints of the ` +
    `other side of the spread, where an order would have paid more, fill ${number(own, "share")} of the strategy's ` +
    `entries and ${number(drawn, "share")} of the random ones.`;
}

function words({ sims, strategy_usd: own, percentile, p_value: p, reason }, statistics) {
  if (reason) return `The strategy's net P&L is ${number(own, "usd")}. There is no p-value, as ${reason}.`;
  const { t_statistic_by_day: byDay, p_value_by_day: dayP, t_statistic: t, p_value: tradeP } = statistics;
  return (
    `The strategy's net P&L of ${number(own, "usd")} is above ${number(percentile, "share")} of ${count(sims)} runs with ` +
    `random entries, each in units of its own deviation. One-sided p-value ${number(p, "p")}: were its signals no better than chance, about ` +
    `${number(p, "share")} of such runs would do as well or better. The t-statistic asks another question, whether the ` +
    `mean differs from zero: by day ${number(byDay, "ratio")} (two-sided p ${number(dayP, "p")}), of the trades ` +
    `${number(t, "ratio")} (p ${number(tradeP, "p")}).`
  );
}
