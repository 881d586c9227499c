"use strict";
// What stands beside the phone: what may go wrong, as orders for /_sim/faults, and the bridge's own timeline.

const refusal = (on, code, more) => ({ on, action: { kind: "status", status: code, headers: { "Retry-After": "2" } }, times: 1, ...more });
const MISHAPS = {
  "agent-slow": [{ on: "completion", action: { kind: "delay", seconds: 8 } }],
  "agent-429": [refusal("completion", 429)],
  "agent-500": [refusal("completion", 500, { times: 2 })],
  "agent-cut": [{ on: "completion", action: { kind: "cut" }, times: 1 }],
  "ghl-429": [refusal("post", 429)],
  "ghl-500": [refusal("post", 500)],
  "ghl-cut": [{ on: "post", action: { kind: "cut", when: "after" }, times: 1 }],
};
const GOOD = new Set(["replied", "sent"]), BAD = new Set(["dead", "failed", "retry", "retrying", "unknown", "lost"]);
// Known already from the phone, or of no interest to the eye.
const UNSHOWN = new Set(["message_id", "message_ids", "date_added_ms"]);
const BURST = ["Hello?", "Are you there?", "It is about Friday.", "Or Saturday.", "In the morning, please."];

let shown = "";

const mood = (step) => (GOOD.has(step) ? "good" : BAD.has(step) ? "bad" : "");
const words = (name) => name.replaceAll("_", " ");

function told(value) {
  if (Array.isArray(value)) return value.map(told).join(", ");
  return value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
}

function eventLine({ at, step, ...details }) {
  const line = element("li", mood(step)), content = element("span");
  content.append(element("b", "", words(step)));
  const known = Object.entries(details).filter(([key, value]) => !UNSHOWN.has(key) && value !== null && value !== "");
  if (known.length) content.append(element("small", "", known.map(([key, value]) => `${words(key)} ${told(value)}`).join(" · ")));
  line.append(element("time", "", clock(new Date(at))), content);
  return line;
}

function showTimeline(found) {
  // What has not changed stays where it was scrolled to.
  if (shown === JSON.stringify(found)) return;
  shown = JSON.stringify(found);
  const outcome = place("outcome"), last = found.messages.at(-1);
  const lines = found.events.map(eventLine).reverse();
  outcome.className = `outcome ${found.error ? "bad" : last ? mood(last.status) : ""}`;
  outcome.textContent = found.error || (last ? [words(last.status), last.reason && words(last.reason), last.error].filter(Boolean).join(": ") : "");
  const nothing = found.connected ? "Nothing yet." : "The timeline is not connected: this simulator runs without a bridge that it may ask. `make demo` starts both.";
  place("timeline").replaceChildren(...(lines.length ? lines : [element("li", "none", nothing)]));
}

async function prepare(contactId, chosen) {
  await ask("/_sim/contacts", { contact_id: contactId, dnd: chosen === "dnd" });
  await ask("/_sim/faults", {}, "DELETE");
  const scripts = (MISHAPS[chosen] || []).map((each) => ({ ...each, contact_id: contactId }));
  if (scripts.length) await ask("/_sim/faults", scripts);
}
