// Numbers as text, by the same rules as the report.

const missing = (value) => value === null || value === undefined;

/** A number >= 0 with so many decimals; a tie goes to the even digit, as in Python, not up, as in toFixed. */
function fixed(value, decimals) {
  const up = value.toFixed(decimals);
  const exact = value.toFixed(decimals + 40); // a double that is no tie shows it in fewer digits
  const tie = /^50*$/.test(exact.slice(exact.length - 40));
  if (!tie || "02468".includes(up.at(-1))) return up;
  return exact.slice(0, decimals ? -40 : -41);
}

function grouped(value, decimals) {
  const [whole, part] = fixed(Math.abs(value), decimals).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}

/** Up to four significant digits of a number >= 0, as the report shows a p-value. */
function significant(value) {
  const [digits, power] = value.toExponential(3).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 4) return String(Number(fixed(value, 3 - exponent)));
  return `${Number(digits)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** A value of a unit as text; n/a for what is undefined. */
export function number(value, unit = "") {
  if (missing(value)) return "n/a";
  const minus = value < 0 ? "-" : "";
  if (unit === "usd") return `${minus}$${grouped(value, 2)}`;
  if (unit === "share") return `${minus}${fixed(Math.abs(value) * 100, 2)}%`;
  if (unit === "p") return `${minus}${significant(Math.abs(value))}`;
  if (unit === "seconds") return `${minus}${grouped(value, 3)} s`;
  if (unit === "ratio") return `${minus}${grouped(value, 3)}`;
  return `${minus}${grouped(value, 0)}${unit ? ` ${unit}` : ""}`;
}

/** A difference as text: with its sign. */
export function signed(value, unit) {
  if (missing(value)) return "n/a";
  return value > 0 ? `+${number(value, unit)}` : number(value, unit);
}

/** The difference of two values, null where one of them is undefined. */
export function difference(value, other) {
  return missing(value) || missing(other) ? null : value - other;
}

/** A number of points as it is, without the last bits of a float. */
export function points(value) {
  return missing(value) ? "n/a" : String(Number(value.toPrecision(12)));
}

/** A count with commas. */
export const count = (value) => grouped(value, 0);

/** A count in short: 93.1 M. */
export function short(value) {
  const [size, letter] = value >= 1e9 ? [1e9, "G"] : value >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `${(value / size).toFixed(1)} ${letter}`;
}
