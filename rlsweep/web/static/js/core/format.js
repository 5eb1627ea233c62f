// Format numbers, times and sizes for people.

export const NOTHING = "–";

const MINUS = "−";

/**
 * A number with about three significant digits.
 * @param {number | null | undefined} value
 * @param {number} [digits] significant ones
 */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 10_000) return compact(value);
  if (size !== 0 && size < 0.001) return minus(value.toExponential(Math.max(0, digits - 2)).replace("e-", "e−"));
  if (Number.isInteger(value)) return minus(value.toLocaleString("en"));
  const whole = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
  return minus(
    value.toLocaleString("en", { maximumFractionDigits: Math.max(0, Math.min(4, digits - whole)), useGrouping: true }),
  );
}

/** With two decimals, so that a column aligns. @param {number | null | undefined} value */
export function reward(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 100_000) return compact(value);
  return minus(
    value.toLocaleString("en", {
      minimumFractionDigits: size >= 1_000 ? 0 : 2,
      maximumFractionDigits: size >= 1_000 ? 0 : 2,
    }),
  );
}

/** 1.2 M, 34 k. @param {number | null | undefined} value */
export function compact(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  for (const [unit, size] of /** @type {[string, number][]} */ ([
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ])) {
    const scaled = value / size;
    if (Math.abs(scaled) >= 0.9995 && Math.abs(value) >= 10_000) return `${minus(trimmed(scaled))} ${unit}`;
  }
  return minus(value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 }));
}

/** Every digit, with thousands separators. @param {number | null | undefined} value */
export function full(value) {
  return value === null || value === undefined ? NOTHING : minus(value.toLocaleString("en"));
}

/** @param {number | null | undefined} share 0…1 */
export function percent(share) {
  return share === null || share === undefined || !Number.isFinite(share)
    ? NOTHING
    : `${minus((share * 100).toFixed(0))}%`;
}

/** 42 s, 3:05, 1:02:07. @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NOTHING;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** @param {number | null | undefined} bytes */
export function bytes(bytes) {
  if (bytes === null || bytes === undefined) return NOTHING;
  if (bytes < 1000) return `${bytes} B`;
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${trimmed(bytes / Number(size))} ${unit}`;
}

/** @param {string} iso @param {number} now milliseconds */
export function ago(iso, now) {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return plural(Math.floor(seconds / 86_400), "day") + " ago";
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** @param {string} iso */
export function absolute(iso) {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** @param {number} count @param {string} noun @param {string} [many] */
export function plural(count, noun, many = `${noun}s`) {
  return `${full(count)} ${count === 1 ? noun : many}`;
}

/** A config's value in the notation of its file. @param {unknown} value @returns {string} */
export function configValue(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return plainNumber(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (Array.isArray(value)) return `[${value.map(configValue).join(", ")}]`;
  if (isStepped(value)) return steps(value).map(([at, each]) => (at === 0 ? each : `${each} (${full(at)})`)).join(" → ");
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${configValue(item)}`)
      .join(", ")}}`;
  }
  return String(value);
}

/**
 * Whether it has a value for each of several env steps, at which it changes while a run trains.
 * @param {unknown} value @returns {value is Record<string, unknown>}
 */
export function isStepped(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key));
}

/** The last of values by env step; any other value as it is. @param {unknown} value @returns {unknown} */
export function atEnd(value) {
  return isStepped(value) ? value[String(Math.max(...Object.keys(value).map(Number)))] : value;
}

/** Env steps with the values from there on, as text. @param {Record<string, unknown>} value @returns {[number, string][]} */
function steps(value) {
  return Object.entries(value)
    .map(([at, each]) => /** @type {[number, string]} */ ([Number(at), configValue(each)]))
    .sort(([one], [other]) => one - other);
}

/** Without the digits that only rounding gave it: 3e-4 for 0.00030000000000000003. @param {number} value */
function plainNumber(value) {
  const size = Math.abs(value);
  const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(12));
  return size !== 0 && size < 0.001 ? rounded.toExponential() : String(rounded);
}

/** @param {number} value */
function trimmed(value) {
  return value.toLocaleString("en", {
    maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0,
  });
}

/** @param {string} text */
function minus(text) {
  return text.replace(/^-/, MINUS);
}
