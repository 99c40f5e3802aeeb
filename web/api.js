// The API of the server that this page came from (docs/api.md).

const KEY = "trawl.key";

export const key = () => sessionStorage.getItem(KEY) ?? "";

export function useKey(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

// What the server refused and why; status 0 when it could not be asked.
export class Refusal extends Error {
  constructor(status, message, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter; // Seconds; 0 when the server does not say.
  }
}

// The answer's document, or its text where it is none. Throws Refusal.
export async function ask(method, path, {body, headers = {}} = {}) {
  if (body) headers = {...headers, "Content-Type": "application/json"};
  if (key()) headers = {...headers, Authorization: `Bearer ${key()}`};
  let answer, content;
  try {
    answer = await fetch(`api/v1/${path}`, {method, headers, body: body && JSON.stringify(body), cache: "no-store"});
    const json = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    content = json ? await answer.json() : await answer.text();
  } catch {
    throw new Refusal(0, "The server does not answer.");
  }
  if (answer.ok) return content;
  throw new Refusal(answer.status, content.error ?? `The server answers ${answer.status}.`, Number(answer.headers.get("Retry-After")) || 0);
}
