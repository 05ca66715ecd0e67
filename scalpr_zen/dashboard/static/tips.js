// Explanations of the words with a dotted line: shown where they are pointed at or reached by the keyboard.

import { element } from "./page.js";

const GAP = 6; // px between a word and its explanation

/** Show the explanations of the page, now and later; Escape hides one. */
export function showTips() {
  const box = element("div", { id: "tip", role: "tooltip", hidden: true });
  document.body.append(box);
  const show = (event) => {
    const word = event.target.closest?.("[data-tip]");
    box.hidden = !word;
    if (word) place(box, word);
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("focusout", () => (box.hidden = true));
  document.addEventListener("scroll", () => (box.hidden = true), { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") box.hidden = true;
  });
}

/** Below the word, or above it where the window ends, and never beyond the sides. */
function place(box, word) {
  box.textContent = word.dataset.tip;
  const { left, top, bottom } = word.getBoundingClientRect();
  const below = bottom + GAP + box.offsetHeight <= innerHeight;
  box.style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - box.offsetWidth - GAP))}px`;
  box.style.top = `${below ? bottom + GAP : Math.max(GAP, top - GAP - box.offsetHeight)}px`;
}
