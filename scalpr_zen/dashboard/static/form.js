// The parameters: fields made from their declarations, and the query that the fields mean.

import { byId, element, tip } from "./page.js";

const LABELS = { strategy: "Strategy", bracket: "Bracket", execution: "Execution", settings: "Monte Carlo" };

export class ParameterForm {
  /**
   * @param groups declarations, as /api/about gives them
   * @param changed called with (first) for each edit; first: the edit begins a new entry of the history
   */
  constructor(groups, changed) {
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
      const text = this.#text(field);
      if (text !== textOf(parameter.default)) query.set(name, text);
    }
    return query;
  }

  /** Show the values of a query; what it does not name gets its default. */
  show(query) {
    this.editing = false;
    for (const parameter of this.parameters) {
      const text = query.get(parameter.name) ?? textOf(parameter.default);
      if (parameter.field.type === "checkbox") parameter.field.checked = text === "true";
      else parameter.field.value = text;
      this.#mark(parameter);
    }
  }

  /** Mark the field that an error message begins with, and no other. */
  blame(message) {
    for (const { name, field } of this.parameters) {
      const wrong = message.split(" ")[0] === name;
      field.closest(".field").classList.toggle("wrong", wrong);
      field.setAttribute("aria-invalid", wrong);
    }
  }

  #group({ name, title, parameters }) {
    const fields = parameters.map((parameter) => this.#field(parameter));
    const label = name === "strategy" ? `${LABELS.strategy} ${title}` : (LABELS[name] ?? title);
    return element("fieldset", {}, element("legend", {}, label), ...fields);
  }

  #field(parameter) {
    const { name, unit, range, sentence } = parameter;
    const id = `parameter-${name}`;
    const none = name === "point_value" ? "the contract's" : "none";
    const about = [range, `default ${textOf(parameter.default) || none}`].filter(Boolean).join("; ");
    parameter.field = this.#input(parameter, id);
    const label = element("label", { for: id }, tip(name.replaceAll("_", " "), `${sentence} [${about}]`));
    if (!name.endsWith(unit)) label.append(" ", element("small", {}, unit));
    const parts = [label, parameter.field];
    if (parameter.slider_to) {
      parameter.slider = this.#slider(parameter);
      parts.push(parameter.slider);
    }
    return element("div", { class: "field" }, ...parts);
  }

  #input(parameter, id) {
    const { name, kind, choices, low, high, step } = parameter;
    const oninput = () => this.#edited(parameter);
    if (choices.length) {
      return element("select", { id, name, oninput }, ...choices.map((choice) => element("option", {}, choice)));
    }
    if (kind === "bool") return element("input", { id, name, type: "checkbox", oninput });
    if (kind === "str") return element("input", { id, name, type: "text", oninput });
    const least = step ?? low;
    return element("input", { id, name, type: "number", min: least, max: high, step: step ?? "any", oninput });
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

  #edited(parameter) {
    this.#mark(parameter);
    const first = !this.editing;
    this.editing = true;
    this.changed(first);
  }

  #mark(parameter) {
    const { field, slider } = parameter;
    field.closest(".field").classList.toggle("changed", this.#text(field) !== textOf(parameter.default));
    if (!slider || field.value === "") return;
    slider.max = Math.max(parameter.slider_to, Number(field.value)); // a larger value moves the end of the slider
    slider.value = field.value;
  }

  #text(field) {
    return field.type === "checkbox" ? String(field.checked) : field.value;
  }
}

/** A default as the text that its field shows. */
function textOf(value) {
  return value === null ? "" : String(value);
}
