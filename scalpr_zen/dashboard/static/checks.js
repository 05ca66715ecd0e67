// What arrives after Monte Carlo: the worth of the fills and of the entries, and a prop firm's evaluation.

import { showNotes } from "./cards.js";
import { showEntries } from "./entries.js";
import { showFills } from "./fills.js";
import { showFirm } from "./firm.js";
import { byId } from "./page.js";

const SECTIONS = ["fills", "entries", "firm"];
const WAITS = "Made after the rest of the run; it is under way.";

/** Say that the checks of the run are not there yet, and dim those of the run before. */
export function awaitChecks() {
  for (const name of SECTIONS) {
    const [status, made] = parts(name);
    status.textContent = WAITS;
    status.hidden = false;
    made.classList.toggle("stale", !made.hidden);
  }
}

/** Show the checks of a run. */
export function showChecks({ notes, fills, control, prop_firm: firm }, result) {
  for (const name of SECTIONS) {
    const [status, made] = parts(name);
    status.hidden = true;
    made.hidden = false;
    made.classList.remove("stale");
  }
  showNotes(notes);
  showFills(fills, result);
  showEntries(control, result);
  showFirm(firm);
}

/** Say why there are none. */
export function failChecks(message) {
  for (const name of SECTIONS) parts(name)[0].textContent = `Not made: ${message}`;
}

function parts(name) {
  return [".waits", ".made"].map((part) => byId(name).querySelector(part));
}
