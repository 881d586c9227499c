"use strict";
// The panels beside the phone: the faults, as requests to /_sim/faults, and the bridge's timeline.

const refusal = (on, code, more) => ({ on, action: { kind: "status", status: code, headers: { "Retry-After": "2" } }, times: 1, ...more });
const form = (name) => [{ on: "completion", action: { kind: "answer", form: name } }];
const MISHAPS = {
  "answer-thoughts": form("thoughts"),
  "answer-cut_off": form("cut_off"),
  "answer-error": form("error"),
  "answer-status_sentence": form("status_sentence"),
  "answer-stream": form("stream"),
  "answer-tool_call": form("tool_call"),
  "answer-filtered": form("filtered"),
  "answer-empty": form("empty"),
  "answer-handover": form("handover"),
  "agent-slow": [{ on: "completion", action: { kind: "delay", seconds: 8 } }],
  "agent-429": [refusal("completion", 429)],
  "agent-500": [refusal("completion", 500, { times: 2 })],
  "agent-cut": [{ on: "completion", action: { kind: "cut" }, times: 1 }],
  "agent-422": [{ on: "completion", action: { kind: "status", status: 422, body: { message: "No assistant of this id" } }, times: 1 }],
  "ghl-429": [refusal("post", 429)],
  "ghl-500": [refusal("post", 500)],
  "ghl-cut": [{ on: "post", action: { kind: "cut", when: "after" }, times: 1 }],
};
// Three refusals in a row put a location on hold; a fourth post would be accepted.
const LOGIN_REFUSED = { on: "post", action: { kind: "status", status: 401, body: { statusCode: 401, message: "Invalid JWT" } }, times: 3 };
const GOOD = new Set(["replied", "sent"]), BAD = new Set(["dead", "undelivered", "failed", "retry", "retrying", "unknown", "lost"]);
const BURST = ["Hello?", "Are you there?", "It is about Friday.", "Or Saturday.", "In the morning, please."];

let shown = "", consoleUrl = "", forms = {};

const mood = (step) => (GOOD.has(step) ? "good" : BAD.has(step) ? "bad" : "");

// The evidence of an answer.
function evidenceOf(evidence) {
  const folded = element("details", "evidence");
  const told = Object.entries(evidence).map(([name, value]) => `${words(name)}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  folded.append(element("summary", "", "Why did it say that?"), ...told.map((line) => element("small", "", line)));
  return folded;
}

function eventLine({ at, step: name, sentence, evidence }) {
  const line = element("li", mood(name)), content = element("span");
  content.append(element("b", "", words(name)));
  if (sentence) content.append(element("small", "", sentence));
  if (evidence) content.append(evidenceOf(evidence));
  line.append(element("time", "", clock(new Date(at))), content);
  return line;
}

function showTimeline(found) {
  // Unchanged content keeps its scroll position.
  if (shown === JSON.stringify(found)) return;
  shown = JSON.stringify(found);
  const outcome = place("outcome"), last = found.messages.at(-1);
  const lines = found.events.map(eventLine).reverse();
  outcome.className = `outcome ${found.error ? "bad" : last ? mood(last.delivery === "undelivered" ? "undelivered" : last.status) : ""}`;
  outcome.textContent = found.error || (last ? last.sentence || words(last.status) : "");
  const nothing = found.connected ? "Nothing yet." : "No bridge runs beside this simulator, or it has no admin token. `make demo` starts both; the simulator's terminal says how `ghl-bridge up` is started beside it.";
  place("timeline").replaceChildren(...(lines.length ? lines : [element("li", "none", nothing)]));
  showHold(found);
  showIds({ contact: found.contact_id, conversation: found.conversation_id, message: last?.message_id });
  const link = place("console");
  link.hidden = !consoleUrl || !found.contact_id;
  if (!link.hidden) link.href = `${consoleUrl}/conversations/${encodeURIComponent(found.contact_id)}`;
}

function showHold(found) {
  const hold = place("hold");
  hold.hidden = !found.on_hold;
  if (!found.on_hold) return;
  const link = element("a", "", "End the hold in the console");
  link.href = `${consoleUrl}/locations/${encodeURIComponent(found.location_id)}`;
  link.target = "_blank";
  link.rel = "noopener";
  hold.replaceChildren("The location is on hold: three logins in a row were refused. New messages wait, and the refused ones are replayed when the hold ends. ", link);
}

function showIds(ids) {
  const rows = Object.entries(ids).filter(([, id]) => id).map(([what, id]) => {
    const row = element("div"), copy = element("button", "copy", "Copy");
    copy.type = "button";
    copy.setAttribute("aria-label", `Copy the ${what}'s id`);
    const code = element("code", "", id);
    copy.addEventListener("click", () => copied(code, copy));
    row.append(element("dt", "", what), element("dd"));
    row.lastChild.append(code, copy);
    return row;
  });
  place("ids").replaceChildren(...rows);
  place("ids").hidden = !rows.length;
}

async function copied(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // Without https, or if it is forbidden: select the id, so that it can be copied with the keyboard.
    getSelection().selectAllChildren(code);
    button.textContent = "Marked";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function offerAnswers(service) {
  const mishap = place("mishap");
  place("answers").label = service ? `${service} answers` : "The agent answers";
  for (const option of place("answers").children) option.disabled = Boolean(service) && !forms[option.value.slice("answer-".length)]?.includes(service);
  if (mishap.selectedOptions[0]?.disabled) mishap.value = "nothing";
}

async function prepare(contactId, itsLocation, chosen) {
  await ask("/_sim/contacts", { contact_id: contactId, dnd: chosen === "dnd" });
  await ask("/_sim/faults", {}, "DELETE");
  const scripts = (MISHAPS[chosen] || []).map((each) => ({ ...each, contact_id: contactId }));
  if (scripts.length) await ask("/_sim/faults", scripts);
  if (chosen !== "ghl-401") return;
  await ask("/_sim/faults", { ...LOGIN_REFUSED, location_id: itsLocation });
  for (const text of ["Hello!", "Good morning!"]) await ask("/_sim/say", { location_id: itsLocation, contact_id: freshId(), text });
}
