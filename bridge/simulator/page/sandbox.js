"use strict";
// The page of the simulator: writes as the contact through /_sim/say, and shows what /_sim/events brings.

const place = (id) => document.getElementById(id);
const messages = place("messages"), state = place("state"), steps = place("steps"), text = place("text");
const contact = place("contact"), provider = place("provider"), mishap = place("mishap"), channel = place("channel"), writer = place("writer");
const NEW = "";
const SHOWN_CONTACTS = 50, SHOWN_STEPS = 40, LOOK_MS = 1500;
const seen = new Set();
let current = NEW, locationId, names = new Map(), waiting = false;

async function ask(path, order, method = "POST") {
  const wish = order && { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(order) };
  const answer = await fetch(path, wish);
  const body = await answer.json();
  if (!answer.ok) throw new Error((body.errors || [`The simulator answered ${answer.status}`]).join("; "));
  return body;
}

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

function add(node) {
  messages.querySelector(".hint")?.remove();
  const dots = messages.querySelector(".thinking");
  messages.insertBefore(node, dots);
  messages.scrollTop = messages.scrollHeight;
}

function step(content, bad) {
  steps.querySelector(".none")?.remove();
  const line = element("li", bad ? "bad" : "");
  line.append(element("time", "", clock(new Date())), element("span", "", content));
  steps.prepend(line);
  while (steps.children.length > SHOWN_STEPS) steps.lastChild.remove();
}

function note(content, calm) {
  add(element("p", calm ? "note calm" : "note", content));
  step(content, !calm);
}

function say(status, thinking) {
  state.textContent = status;
  waiting = thinking;
  messages.querySelector(".thinking")?.remove();
  if (!thinking) return;
  const dots = element("div", "thinking");
  dots.setAttribute("aria-hidden", "true");
  dots.append(element("span"), element("span"), element("span"));
  messages.append(dots);
  messages.scrollTop = messages.scrollHeight;
}

function author(message) {
  if (message.direction === "inbound") return "You";
  if (message.channel === "InternalComment") return "Draft, seen by staff only";
  return message.userId ? "Staff" : "Agent, through the bridge";
}

function showMessage(message) {
  if (seen.has(message.id)) return;
  seen.add(message.id);
  const kind = message.channel === "InternalComment" ? " comment" : message.direction === "outbound" && message.userId ? " staff" : "";
  const bubble = element("div", `message ${message.direction}${kind}`);
  bubble.append(element("span", "unseen", `${author(message)}: `), document.createTextNode(message.text));
  add(bubble);
  add(element("div", `about-message ${message.direction}`, `${author(message)} · ${message.channel} · ${clock(new Date(message.dateAdded))}`));
}

function onMessage(message) {
  name(message.contactId, message.locationId);
  if (message.contactId !== current) return;
  showMessage(message);
  if (message.direction === "inbound") return step(`The contact wrote by ${message.channel}`);
  step(message.userId ? "Staff wrote" : "The reply arrived in GHL");
  if (message.channel !== "InternalComment") say("Ready", false);
}

const REFUSED = { 401: "its signature was refused", 413: "it is too large", 429: "the bridge's state can't be written" };

function onWebhook(event) {
  if (event.contactId !== current || event.kind !== "InboundMessage") return;
  const code = event.status_code, body = event.body || {};
  if (code >= 200 && code < 300) return onTaken(code, body);
  const reason = code ? `${REFUSED[code] || "the bridge refused it"} (${code})` : "the bridge can't be reached";
  note(event.last ? `The message was not taken: ${reason}. No more tries.` : `The message was not taken: ${reason}. Trying again.`);
  say(event.last ? "Not delivered" : "Trying again", !event.last);
}

function onTaken(code, body) {
  if (body.status === "accepted") {
    step(`The bridge took it (${code} accepted)`);
    if (waiting) say("The bridge waits for more messages", true);
  } else if (body.status === "ignored") {
    note(`The bridge won't answer this: ${body.reason || "ignored"}`, true);
    say("Ready", false);
  } else step(`The bridge answered ${code} ${body.status || ""}`);
}

function onCompletion(event) {
  if (event.contactId !== current) return;
  if (event.state === "started") {
    step("The agent was asked");
    return say("The bridge is thinking", true);
  }
  if (event.ending === "whole" && event.status < 300) {
    step("The agent answered");
    if (waiting) say("The reply is on its way", true);
  } else {
    note(event.ending === "whole" ? `The agent failed (${event.status}).` : "The agent gave no answer.");
    say("Waiting for another try", true);
  }
}

function onRequest(event) {
  const good = event.ending === "whole" && event.status < 300;
  if (event.contactId !== current || event.endpoint !== "post" || good) return;
  note(event.ending === "whole" ? `GHL refused the reply (${event.status}).` : "The connection broke while the reply was sent.");
  say("The reply was not confirmed", false);
}

function name(id, itsLocation) {
  if (!id || names.has(id)) return;
  names.set(id, itsLocation);
  if (names.size > SHOWN_CONTACTS) return;
  contact.append(new Option(id.slice(0, 12), id));
}

function clear() {
  seen.clear();
  messages.replaceChildren(element("p", "hint", "Say hello. The agent repeats what you wrote, so that you see what reached it."));
  steps.replaceChildren(element("li", "none", "Nothing yet."));
  say("Ready", false);
}

async function open(id) {
  current = id;
  contact.value = id;
  history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
  clear();
  if (!id) return showTimeline({ connected: !place("kill").hidden, messages: [], events: [] });
  const itsLocation = names.get(id);
  if ([...provider.options].some((each) => each.value === itsLocation)) provider.value = itsLocation;
  look();
  const found = await ask(`/_sim/conversations/${encodeURIComponent(id)}`).catch(() => ({ messages: [] }));
  if (id === current) found.messages.forEach(showMessage);
}

async function begin() {
  const world = await ask(`/_sim/state?limit=${SHOWN_CONTACTS}`);
  locationId = world.location_id;
  await offerProviders();
  names = new Map();
  contact.replaceChildren(new Option("New contact", NEW));
  world.conversations.forEach((each) => name(each.contact_id, each.location_id));
  const wanted = decodeURIComponent(location.hash.slice(1));
  name(wanted, locationId);
  await open(wanted || world.conversations.at(-1)?.contact_id || NEW);
  if (!world.webhook_url) note("No bridge is connected: messages are kept here and reach nobody.");
}

async function offerProviders() {
  const found = await ask("/_sim/providers"), before = provider.value;
  provider.replaceChildren(...found.locations.map((each) => new Option(`${each.provider} (${each.name || each.id})`, each.id)));
  provider.value = found.locations.some((each) => each.id === before) ? before : locationId;
  place("providers").hidden = !found.locations.length;
  place("kill").hidden = !found.connected;
  showTimeline({ connected: found.connected, messages: [], events: [] });
}

async function look() {
  const asked = current;
  if (!asked || document.hidden) return;
  const found = await ask(`/_sim/timeline?id=${encodeURIComponent(asked)}`).catch((error) => ({ connected: true, messages: [], events: [], error: error.message }));
  if (asked === current) showTimeline(found);
}

async function register() {
  if (current) return;
  const made = await ask("/_sim/contacts", { location_id: provider.value || locationId, contact_id: freshId() });
  name(made.contact_id, made.location_id);
  current = contact.value = made.contact_id;
  history.replaceState(null, "", `#${encodeURIComponent(current)}`);
}

function freshId() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => letters[byte % letters.length]).join("");
}

async function send(event) {
  event.preventDefault();
  const said = text.value.trim();
  if (!said) return;
  text.value = "";
  fit();
  text.focus();
  await attempt(() => (writer.value === "staff" ? human(said) : write([said])));
}

async function attempt(act) {
  try {
    await act();
    await look();
  } catch (error) {
    note(`That didn't work: ${error.message}`);
    say("Ready", false);
  }
}

async function human(said) {
  await register();
  await ask("/_sim/human", { contact_id: current, channel: channel.value, text: said });
}

async function write(texts) {
  await register();
  await prepare(current, mishap.value);
  say("Sending", true);
  for (const said of texts) {
    const answer = await ask("/_sim/say", { contact_id: current, channel: channel.value, text: said });
    if (!answer.webhook_id) say("No bridge is connected", false);
  }
}

async function kill() {
  await ask("/_sim/kills", {});
  note("The worker is killed, and started again at once.", true);
}

const DEEDS = { human: () => human("This is Kim from the front desk: I take over."), burst: () => write(BURST), stop: () => write(["STOP"]), kill };

function fit() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

function listen() {
  const events = new EventSource("/_sim/events");
  const on = (kind, act) => events.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  on("message", onMessage);
  on("webhook", onWebhook);
  on("completion", onCompletion);
  on("request", onRequest);
  on("reset", begin);
  events.onerror = () => say("The simulator can't be reached; trying again", false);
  events.onopen = () => { if (state.textContent.startsWith("The simulator")) begin(); };
}

place("write").addEventListener("submit", send);
place("settings").addEventListener("submit", (event) => event.preventDefault());
contact.addEventListener("change", () => open(contact.value));
provider.addEventListener("change", () => open(NEW));
document.querySelectorAll("[data-deed]").forEach((button) => button.addEventListener("click", () => attempt(DEEDS[button.dataset.deed])));
setInterval(look, LOOK_MS);
text.addEventListener("input", fit);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  place("write").requestSubmit();
});
begin().then(listen, (error) => note(`The simulator can't be reached: ${error.message}`));
