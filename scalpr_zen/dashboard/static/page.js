// The few things that every part of the page needs: elements, answers of the server, the error line.

/** Make an element: attributes, then children; `on...` are listeners. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A word with an explanation that shows when it is pointed at or reached by the keyboard. */
export function tip(text, explanation, tag = "span") {
  const about = { class: "tip", tabindex: 0, "data-tip": explanation, "aria-description": explanation };
  return element(tag, about, text);
}

/** Fill an element anew; the keyboard stays at the button or field at the same place. */
export function refill(parent, ...children) {
  const controls = () => [...parent.querySelectorAll("button, input")];
  const at = controls().indexOf(document.activeElement);
  parent.replaceChildren(...children);
  if (at < 0) return;
  const now = controls();
  (now.slice(at).find((control) => !control.disabled) ?? now.findLast((control) => !control.disabled))?.focus();
}

/**
 * Fill a table anew.
 * @param head headings: texts, or pairs of a text and a smaller one below it
 * @param rows each { key, class, cells }; a cell is a text, an element, or { text, below, class, ... }
 * @param texts how many columns at the left hold text
 */
export function fillTable(table, head, rows, texts = 1) {
  const isText = (k) => k < texts || rows[0]?.cells[k]?.class?.startsWith?.("text");
  const side = (k) => (isText(k) ? "text" : "");
  const words = (text, below) => (below ? [text, element("br"), element("small", {}, below)] : [text]);
  const heading = (name, k) => element("th", { scope: "col", class: side(k) }, ...words(...[name].flat()));
  const cell = (value, k) => {
    if (typeof value === "string" || value instanceof Node) return element("td", { class: side(k) }, value);
    const { text, below, ...about } = value;
    return element("td", about, ...words(text, below));
  };
  const line = ({ key, class: look = "", cells }) =>
    element("tr", { "data-key": key, class: look }, ...cells.map(cell));
  table.replaceChildren(
    element("thead", {}, element("tr", {}, ...head.map(heading))),
    element("tbody", {}, ...rows.map(line)),
  );
}

/** The class of a gain, of a loss, or of neither. */
export const signClass = (value) => (value > 0 ? "good" : value < 0 ? "bad" : "");

export const byId = (id) => document.getElementById(id);

const BUSY_AFTER = 500; // ms until an answer that is waited for shows as a bar
let slow = 0;

/** Wait for an answer, and show the bar while it takes longer than a moment. */
async function watched(answer) {
  const count = (change) => {
    slow += change;
    byId("busy").hidden = slow === 0;
  };
  let counted = false;
  const timer = setTimeout(() => {
    counted = true;
    count(1);
  }, BUSY_AFTER);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    if (counted) count(-1);
  }
}

/** Get JSON; throws the server's message, or an AbortError. */
export function getJson(path, query = "", signal = undefined) {
  return watched(answerOf(path, query, signal));
}

async function answerOf(path, query, signal) {
  let response;
  try {
    response = await fetch(query ? `${path}?${query}` : path, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the dashboard does not answer: is it still running?");
  }
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error; // dropped while it was read
    return null;
  });
  if (response.ok && answer) return answer;
  throw new Error(answer?.error?.message ?? `the server answered ${response.status}`);
}

/** Show an error, or clear it. */
export function showError(error) {
  const line = byId("error");
  line.hidden = !error;
  line.textContent = error ? error.message : "";
}
