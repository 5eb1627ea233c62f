// The JSON API. A repeated request sends its ETag, so an unchanged answer costs almost nothing.

/** An error answer of the server, or no answer. */
export class ApiError extends Error {
  /** @param {number} status 0 if the server did not answer @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    /** What stands on record, where somebody else has changed it meanwhile (409). @type {any} */
    this.now = null;
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** Whether the request is repeated automatically. */
  get isPassing() {
    return this.status === 0 || this.status === 503;
  }
}

/** @type {Map<string, {etag: string, body: unknown}>} */
const answers = new Map();
const MAX_CACHED = 60;

/** Listeners, called after each request with an ApiError, or null if it succeeded. */
/** @type {Set<(error: ApiError | null) => void>} */
const listeners = new Set();

/** @param {(error: ApiError | null) => void} listener */
export function onAnswer(listener) {
  listeners.add(listener);
}

/**
 * @param {string} path path below /api, with a leading slash
 * @param {Record<string, unknown>} [parameters] lists repeat their name; empty values are left out
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the same object as before if nothing changed
 */
export async function get(path, parameters = {}, { signal } = {}) {
  const address = `/api${path}${query(parameters)}`;
  try {
    const body = await ask(address, signal);
    for (const listener of listeners) listener(null);
    return body;
  } catch (error) {
    if (error instanceof ApiError) for (const listener of listeners) listener(error);
    throw error;
  }
}

/**
 * Write to the record. Whoever calls it tells what went wrong: no request is repeated.
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {string} path path below /api, with a leading slash
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function send(method, path, body) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "server_unreachable", "The server does not answer, and nothing was saved. Try again.");
  }
  if (!response.ok) throw await failureOf(response);
  return whole(response);
}

/** @param {string} address @param {AbortSignal} [signal] */
async function ask(address, signal) {
  const known = answers.get(address);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address, {
      headers: { Accept: "application/json", ...(known ? { "If-None-Match": known.etag } : {}) },
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "server_unreachable", "The server does not answer. Is “rlsweep serve” still running?");
  }
  if (response.status === 304 && known) return known.body;
  if (!response.ok) throw await failureOf(response);
  const body = await whole(response);
  const etag = response.headers.get("ETag");
  if (etag) remember(address, etag, body);
  return body;
}

/** @param {Response} response */
async function failureOf(response) {
  const answer = await response.json().catch(() => null);
  const said = answer?.error ?? {};
  const error = new ApiError(
    response.status,
    said.code ?? "unknown",
    said.message ?? `The server answered ${response.status}.`,
  );
  error.now = answer?.now ?? null;
  return error;
}

/** The answer's body; throws an ApiError if it is incomplete. @param {Response} response */
async function whole(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "answer_cut_off", "The server's answer was cut off.");
  }
}

/** Whether the request was aborted. @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** @param {string} address @param {string} etag @param {unknown} body */
function remember(address, etag, body) {
  answers.delete(address);
  answers.set(address, { etag, body });
  if (answers.size > MAX_CACHED) answers.delete(answers.keys().next().value ?? "");
}

/** @param {Record<string, unknown>} parameters */
export function query(parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") search.append(name, String(each));
    }
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
