// Talking to the server: JSON, server-sent events, and what can go wrong on the way.

/** What went wrong: `status` is 0 where no answer came, `retry` the seconds to wait where the server says so. */
export class Failure extends Error {
  constructor(status, message, retry = null) {
    super(message);
    this.status = status;
    this.retry = retry;
  }
}

const KEY = "guidepost-key";
let key = "";
try {
  key = sessionStorage.getItem(KEY) ?? "";
} catch {
  // Without storage the key lasts as long as the page.
}

/** Keeps the key for this tab. */
export function useKey(written) {
  key = written;
  try {
    sessionStorage.setItem(KEY, written);
  } catch {
    // See above.
  }
}

export function hasKey() {
  return key !== "";
}

/** `/api/NAME?...`; lists repeat their name, empty values are left out. */
function url(name, parameters = {}) {
  const values = new URLSearchParams();
  for (const [parameter, value] of Object.entries(parameters)) {
    [value]
      .flat()
      .filter((one) => one !== "" && one !== null && one !== undefined)
      .forEach((one) => values.append(parameter, one));
  }
  const search = values.toString();
  return `/api/${name}${search ? `?${search}` : ""}`;
}

/** Answers are kept this long, so that going back is instant; guides change, so it is not long. */
const FRESH_MS = 60_000;
const KEPT = 60;
const kept = new Map();

function recall(address) {
  const found = kept.get(address);
  return found && Date.now() - found.at < FRESH_MS ? found.body : null;
}

function keep(address, body) {
  kept.delete(address);
  kept.set(address, { body, at: Date.now() });
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
}

/** What is kept of an address; null where it has to be asked for. */
export function known(name, parameters) {
  return recall(url(name, parameters));
}

/** The JSON of an address. Throws `Failure`, or `AbortError` where `signal` says so. */
export async function get(name, parameters, signal) {
  const address = url(name, parameters);
  const before = recall(address);
  if (before) return before;
  const response = await request(address, "application/json", signal);
  const body = await read(() => response.json(), signal);
  keep(address, body);
  return body;
}

/** `posted` goes along as JSON, where there is something. */
async function request(address, accept, signal, posted = null) {
  const headers = { Accept: accept };
  if (key) headers.Authorization = `Bearer ${key}`;
  if (posted) headers["Content-Type"] = "application/json";
  const sent = posted ? { method: "POST", body: JSON.stringify(posted) } : {};
  const response = await read(() => fetch(address, { ...sent, headers, signal, credentials: "same-origin" }), signal);
  if (!response.ok) throw await failure(response);
  return response;
}

/** What the network throws, as a `Failure`; an abort stays one. */
async function read(promised, signal) {
  try {
    return await promised();
  } catch (error) {
    if (signal?.aborted) throw new DOMException("no longer wanted", "AbortError");
    throw new Failure(0, `The server cannot be reached (${error.message}).`);
  }
}

async function failure(response) {
  const body = await response.json().catch(() => null);
  const said =
    typeof body?.error === "string" ? body.error : `The server answered ${response.status} ${response.statusText}`;
  const retry = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new Failure(response.status, said, Number.isFinite(retry) ? retry : null);
}

/** Asks, and calls `hear(event, data)` for each event as it comes. Gives the whole answer. */
export async function ask(parameters, hear, signal) {
  const address = url("ask", parameters);
  const before = recall(address);
  if (before) return before;
  const body = await whole(await request(address, "text/event-stream", signal), hear, signal);
  keep(address, body);
  return body;
}

/** The same for an answer that a language model writes; an abort ends its writing. Nothing of it is kept. */
export async function write(parameters, hear, signal) {
  return whole(await request(url("write"), "text/event-stream", signal, parameters), hear, signal);
}

/** The last event of a stream; the others are heard. */
function whole(response, hear, signal) {
  const streamed = (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
  return streamed ? listen(response, hear, signal) : read(() => response.json(), signal);
}

async function listen(response, hear, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await read(() => reader.read(), signal);
    if (done) throw new Failure(0, "The server stopped in the middle of its answer.");
    const events = (text + value).split(/\r?\n\r?\n/);
    text = events.pop();
    for (const { event, data } of events.map(parseEvent).filter((one) => one.data !== "")) {
      const body = JSON.parse(data);
      if (event === "error") throw new Failure(500, body.error);
      if (event === "done") return body;
      hear(event, body);
    }
  }
}

/** An event of the stream; lines of comments have no data. */
function parseEvent(text) {
  let event = "message";
  const data = [];
  for (const line of text.split(/\r?\n/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}
