// The JSON API. A repeated question is asked with its ETag, and costs next to nothing when nothing changed.

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  /** @param {number} status 0 where the server did not answer at all @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** Whether it is worth asking again by itself. */
  get isPassing() {
    return this.status === 0 || this.status === 503;
  }
}

/** @type {Map<string, {etag: string, body: unknown}>} */
const answers = new Map();
const MOST_ANSWERS = 60;

/** Whoever wants to know how each request went: an ApiError, or null when it went well. */
/** @type {Set<(error: ApiError | null) => void>} */
const listeners = new Set();

/** @param {(error: ApiError | null) => void} listener */
export function onAnswer(listener) {
  listeners.add(listener);
}

/**
 * @param {string} path below /api, beginning with a slash
 * @param {Record<string, unknown>} [parameters] lists repeat their name; empty values are left out
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the same object as before where nothing changed
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
  if (!response.ok) {
    const said = (await response.json().catch(() => null))?.error ?? {};
    throw new ApiError(
      response.status,
      said.code ?? "unknown",
      said.message ?? `The server answered ${response.status}.`,
    );
  }
  const body = await whole(response);
  const etag = response.headers.get("ETag");
  if (etag) remember(address, etag, body);
  return body;
}

/** The answer's body; one that breaks off is no answer. @param {Response} response */
async function whole(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "answer_cut_off", "The server's answer was cut off.");
  }
}

/** Whether nobody waits for the answer any more. @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** @param {string} address @param {string} etag @param {unknown} body */
function remember(address, etag, body) {
  answers.delete(address);
  answers.set(address, { etag, body });
  if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value ?? "");
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
