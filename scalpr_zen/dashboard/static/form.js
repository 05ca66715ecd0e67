// The parameters: fields made from their declarations, and the query that the fields mean.

import { byId, element, tip } from "./page.js";

const OPEN = new Set(["strategy", "bracket", "execution"]); // at first; the others if a value is changed
const MOVING = 30; // ms between the last edit and its run
const TYPING = 150; // the same while a number may be half typed
const LONG = 9; // letters of a choice that needs the whole width
const NO_NUMBER = "?"; // stands for text in a number field that is not a number: the server refuses it by name

export class ParameterForm {
  /**
   * @param groups declarations, as /api/about gives them
   * @param changed called with (first, wait) for each edit; first: it begins a new entry of the history; wait: the ms
   *   until it is meant
   */
  constructor(groups, changed) {
    this.groups = groups;
    this.parameters = groups.flatMap((group) => group.parameters);
    this.changed = changed;
    this.editing = false;
    byId("parameters").append(...groups.map((group) => this.#group(group)));
    byId("parameters").addEventListener("submit", (event) => event.preventDefault());
    byId("parameters").addEventListener("change", () => (this.editing = false));
  }

  /** The query of all values that are not the default. */
  get query() {
    const query = new URLSearchParams();
    for (const { name, field, ...parameter } of this.parameters) {
      const text = valueOf(field);
      if (text !== textOf(parameter.default)) query.set(name, text);
    }
    return query;
  }

  /** Show the values of a query; what it does not name gets its default. Groups with a changed value open. */
  show(query) {
    this.editing = false;
    for (const parameter of this.parameters) {
      const given = query.get(parameter.name) ?? textOf(parameter.default);
      const text = parameter.optional && given === "none" ? "" : given;
      if (parameter.field.type === "checkbox") parameter.field.checked = text === "true";
      else parameter.field.value = text;
      this.#mark(parameter);
    }
    for (const group of this.groups) if (this.#count(group)) group.box.open = true;
  }

  /** Mark the fields that an error is about, show it at the first of them, and no other; without one, mark none. */
  blame(error) {
    const names = error?.parameters ?? [];
    let message = error?.message ?? "";
    for (const { name, field, refusal } of this.parameters) {
      const wrong = names.includes(name);
      const box = field.closest(".field");
      box.classList.toggle("wrong", wrong);
      field.setAttribute("aria-invalid", wrong);
      refusal.textContent = wrong ? message : "";
      refusal.hidden = !refusal.textContent;
      if (!wrong) continue;
      if (message && !byId("parameters").contains(document.activeElement)) box.scrollIntoView({ block: "nearest" });
      message = "";
      box.closest("details").open = true;
    }
  }

  #group(group) {
    const { name, title, parameters } = group;
    const label = name === "strategy" ? `Strategy ${title}` : title;
    const fields = parameters.map((parameter) => this.#field(parameter, group));
    group.note = element("small");
    const summary = element("summary", {}, label, " ", group.note);
    group.box = element("details", { class: "group", id: `group-${name}`, open: OPEN.has(name) }, summary, ...fields);
    return group.box;
  }

  #field(parameter, group) {
    const { name, unit, range, sentence, none } = parameter;
    const id = `parameter-${name}`;
    const about = [range, `default ${textOf(parameter.default) || none}`].filter(Boolean).join("; ");
    parameter.group = group;
    parameter.refusal = element("p", { class: "refusal", id: `refusal-${name}`, hidden: true });
    parameter.field = this.#input(parameter, id);
    parameter.field.setAttribute("aria-describedby", `refusal-${name}`);
    const label = element("label", { for: id }, tip(name.replaceAll("_", " "), `${sentence} [${about}]`));
    if (!name.endsWith(unit)) label.append(" ", element("small", {}, unit));
    const parts = [label, parameter.field];
    if (parameter.slider_to) {
      parameter.slider = this.#slider(parameter);
      parts.push(parameter.slider);
    }
    const wide = parameter.kind === "str" && (!parameter.choices.length || parameter.choices.some((choice) => choice.length >= LONG));
    return element("div", { class: wide ? "field wide" : "field" }, ...parts, parameter.refusal);
  }

  #input(parameter, id) {
    const { name, kind, choices, low, high, step, optional, none } = parameter;
    const oninput = () => this.#edited(parameter);
    if (choices.length) {
      const options = choices.map((choice) => element("option", {}, choice));
      if (optional) options.unshift(element("option", { value: "" }, none));
      return element("select", { id, name, oninput }, ...options);
    }
    if (kind === "bool") return element("input", { id, name, type: "checkbox", oninput });
    const typed = { oninput: () => this.#edited(parameter, TYPING), onchange: () => this.#edited(parameter) };
    const placeholder = optional ? none : null;
    const text = { id, name, type: "text", spellcheck: "false", ...typed };
    if (kind === "str") return element("input", text);
    if (kind === "distance") return element("input", { ...text, placeholder });
    const least = step ?? low;
    const about = { id, name, type: "number", min: least, max: high, step: step ?? "any", placeholder };
    return element("input", { ...about, ...typed });
  }

  #slider(parameter) {
    const { name, low, step, slider_to: top } = parameter;
    const least = Math.max(low ?? 0, step);
    const oninput = () => {
      parameter.field.value = parameter.slider.value;
      this.#edited(parameter);
    };
    return element("input", { type: "range", min: least, max: top, step, oninput, "aria-label": `${name} slider` });
  }

  #edited(parameter, wait = MOVING) {
    this.#mark(parameter);
    const first = !this.editing;
    this.editing = true;
    this.changed(first, wait);
  }

  #mark(parameter) {
    const { field, slider, group } = parameter;
    field.closest(".field").classList.toggle("changed", isChanged(parameter));
    const changed = this.#count(group);
    group.note.textContent = changed ? `${changed} changed` : "";
    const value = points(parameter);
    if (!slider || field.value === "" || Number.isNaN(value)) return;
    slider.max = Math.max(parameter.slider_to, value); // a larger value moves the end of the slider
    slider.value = value;
  }

  #count(group) {
    return group.parameters.filter(isChanged).length;
  }
}

function isChanged(parameter) {
  return valueOf(parameter.field) !== textOf(parameter.default);
}

/** What a field says, as the query has it; an empty one of an optional parameter means none. */
function valueOf(field) {
  if (field.type === "checkbox") return String(field.checked);
  return field.validity.badInput ? NO_NUMBER : field.value;
}

/** The number in a field; of a distance in ticks, 8t, its points. */
function points({ field, kind, step }) {
  const ticks = kind === "distance" && field.value.match(/^(\d+)t$/);
  return ticks ? ticks[1] * step : Number(field.value);
}

/** A default as the text that its field shows. */
function textOf(value) {
  return value === null ? "" : String(value);
}
