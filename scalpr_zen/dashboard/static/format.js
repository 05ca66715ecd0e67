// Numbers as text, by the same rules as the report.

const missing = (value) => value === null || value === undefined;

function grouped(value, decimals) {
  return Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Up to four significant digits, as the report shows a p-value. */
function significant(value) {
  if (value === 0) return "0";
  const text = value.toPrecision(4);
  if (!text.includes("e") && Math.abs(value) >= 1e-4) return String(Number(text));
  const [digits, exponent] = value.toExponential(3).split("e");
  return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** A value of a unit as text; n/a for what is undefined. */
export function number(value, unit = "") {
  if (missing(value)) return "n/a";
  const minus = value < 0 ? "-" : "";
  if (unit === "usd") return `${minus}$${grouped(value, 2)}`;
  if (unit === "share") return `${(value * 100).toFixed(2)}%`;
  if (unit === "p") return significant(value);
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

/** A count in short: 93.1 M. */
export function short(value) {
  const [size, letter] = value >= 1e9 ? [1e9, "G"] : value >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `${(value / size).toFixed(1)} ${letter}`;
}
