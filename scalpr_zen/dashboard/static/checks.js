// What arrives after Monte Carlo: the worth of the fills and of the entries, and a prop firm's evaluation.

import { showNotes } from "./cards.js";
import { showEntries } from "./entries.js";
import { sayLine, showFills } from "./fills.js";
import { showFirm } from "./firm.js";
import { byId } from "./page.js";

const SECTIONS = ["fills", "entries", "firm"];
const OF = { fills: ["fills"], monte_carlo: [], checks: ["entries", "firm"] }; // the sections of an answer
const WAITS = "Made after the rest of the run; it is under way.";

/** Say that the checks of the run are not there yet, and dim those of the run before. */
export function awaitChecks() {
  sayLine("being worked out");
  for (const name of SECTIONS) {
    const [status, made] = parts(name);
    status.textContent = WAITS;
    status.hidden = false;
    made.classList.toggle("stale", !made.hidden);
  }
}

/** Show what the fills of a run are worth. */
export function showFillsPart({ notes, fills }, result) {
  showNotes(notes);
  reveal("fills");
  showFills(fills, result);
}

/** Show the checks of a run. */
export function showChecks({ notes, random_entries: entries, prop_firm: firm }, result) {
  showNotes(notes);
  OF.checks.forEach(reveal);
  showEntries(entries, result);
  showFirm(firm);
}

/** Say why an answer did not come. */
export function failChecks(answer, message) {
  for (const name of OF[answer]) fail(name, message);
}

/** Say of all that is still waited for why it does not come. */
export function failWaiting(message) {
  for (const name of SECTIONS) if (!parts(name)[0].hidden) fail(name, message);
}

function fail(name, message) {
  parts(name)[0].textContent = `Not made: ${message}`;
  if (name === "fills") sayLine("not made");
}

function reveal(name) {
  const [status, made] = parts(name);
  status.hidden = true;
  made.hidden = false;
  made.classList.remove("stale");
}

function parts(name) {
  return [".waits", ".made"].map((part) => byId(name).querySelector(part));
}
