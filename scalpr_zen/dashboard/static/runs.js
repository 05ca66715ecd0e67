// The list of the runs of this session, and the pinned one.

import { byId, element, getJson, refill } from "./page.js";

/** Show the runs since the dashboard began, the latest first; `choose` is called with the query of one. */
export async function showRuns(choose) {
  const { made, runs } = await getJson("/api/runs");
  const head = ["run", "changed", "net P&L", "t by day"].map((text) => element("th", { scope: "col" }, text));
  const rows = runs.reverse().map((run) => row(run, choose));
  refill(byId("runs"), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  byId("runs-title").textContent = `Runs of this session (${made})`;
}

function row(run, choose) {
  const changed = Object.entries(run.changed);
  const text = changed.map(([name, value]) => `${name} ${value}`).join(", ") || "defaults";
  const query = new URLSearchParams(changed.map(([name, value]) => [name, String(value)]));
  const button = element(
    "button",
    { type: "button", "aria-label": `Show run ${run.run}: ${text}`, onclick: () => choose(query) },
    String(run.run),
  );
  const what = `${text}; ${run.seconds.toFixed(3)} s`;
  const cells = [button, what, run.text.net_usd, run.text.t_statistic_by_day];
  return element("tr", {}, ...cells.map((cell, k) => element("td", { class: k === 1 ? "text" : "" }, cell)));
}
