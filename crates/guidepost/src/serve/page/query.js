// What is asked of the server for a state of the page.

import { FACETS } from "./address.js";

/** Parameters of `/api/search` and `/api/ask`. */
export function searchParameters(state) {
  const { q, mode, limit } = state;
  const filters = Object.fromEntries(FACETS.map((facet) => [facet, state[facet]]));
  return { q: q.trim(), mode, limit, ...filters };
}

/** Whether two states ask the same. */
export function sameQuestion(one, other) {
  return JSON.stringify(searchParameters(one)) === JSON.stringify(searchParameters(other));
}
