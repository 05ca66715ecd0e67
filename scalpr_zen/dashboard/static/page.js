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

/** Fill an element anew; the keyboard focus stays on the button or field in the same place. */
export function refill(parent, ...children) {
  const controls = () => [...parent.querySelectorAll("button, input")];
  const at = controls().indexOf(document.activeElement);
  parent.replaceChildren(...children);
  if (at < 0) return;
  const now = controls();
  (now.slice(at).find((control) => !control.disabled) ?? now.findLast((control) => !control.disabled))?.focus();
}

/** A count with commas. */
export const count = (value) => value.toLocaleString("en-US");

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

/** Get JSON; throws the server's message with the `parameters` it is about, or an AbortError. */
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
  const { message = `the server answered ${response.status}`, parameters = [] } = answer?.error ?? {};
  throw Object.assign(new Error(message), { parameters });
}

/** Show an error, or clear it. */
export function showError(error) {
  const line = byId("error");
  line.hidden = !error;
  line.textContent = error ? error.message : "";
}
