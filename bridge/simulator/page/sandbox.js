"use strict";
// The simulator's page: writes as the contact with /_sim/say, and shows the events of /_sim/events.

const text = place("text");
const contact = place("contact"), provider = place("provider"), mishap = place("mishap"), channel = place("channel"), writer = place("writer");
const NEW = "";
const SHOWN_CONTACTS = 50, LOOK_MS = 1500, SOON_MS = 120;
let current = NEW, locationId, names = new Map(), services = new Map(), connected = false, expected = "", looking;

async function ask(path, order, method = "POST") {
  const wish = order && { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(order) };
  const answer = await fetch(path, wish);
  const body = await answer.json();
  if (!answer.ok) throw new Error((body.errors || [`The simulator answered ${answer.status}`]).join("; "));
  return body;
}

// Events at GHL and the agent set the status only if the bridge's timeline is not available.
function guess(status, thinking) {
  if (connected) lookSoon();
  else say(status, thinking);
}

function onMessage(message) {
  name(message.contactId, message.locationId);
  if (message.contactId !== current) return;
  showMessage(message);
  if (message.direction === "inbound") return step(`The contact wrote by ${message.channel}`);
  const draft = message.channel === "InternalComment";
  step(draft ? "A draft for staff arrived in GHL" : message.userId ? "Staff wrote" : "The reply arrived in GHL");
  guess(draft ? "A draft for staff: nothing was sent" : "Answered", false);
}

function onFailure(message) {
  if (message.contactId !== current) return;
  showFailure(message);
  step("GHL reported that the newest reply was not delivered", true);
  lookSoon();
}

const REFUSED = { 401: "its signature was refused", 413: "it is too large", 429: "the bridge can't store it" };

function onWebhook(event) {
  if (event.contactId !== current || event.kind !== "InboundMessage") return;
  const code = event.status_code, body = event.body || {};
  if (code >= 200 && code < 300) return onTaken(code, body);
  const reason = code ? `${REFUSED[code] || "the bridge refused it"} (${code})` : "the bridge can't be reached";
  note(event.last ? `The webhook was not accepted: ${reason}. It is not sent again.` : `The webhook was not accepted: ${reason}. It is sent again.`);
  say(event.last ? "Not delivered" : "Trying again", !event.last);
}

function onTaken(code, body) {
  if (body.status === "accepted") {
    step(`The bridge accepted it (${code})`);
    guess("The bridge waits for more messages", true);
  } else if (body.status === "ignored") {
    note(`The bridge won't answer this: ${words(body.reason || "ignored")}`, true);
    say(`Not answered: ${words(body.reason || "ignored")}`, false);
  } else {
    step(`The bridge answered ${code} ${words(body.status || "")}`);
    guess("Ready", false);
  }
}

function onCompletion(event) {
  if (event.contactId !== current) return;
  if (event.state === "started") {
    step("The agent was asked");
    return guess("The agent is asked", true);
  }
  if (event.ending === "whole" && event.status < 300) {
    step("The agent answered");
    guess("The reply is on its way", true);
  } else {
    note(event.ending === "whole" ? `The agent failed (${event.status}).` : "The agent gave no answer.");
    guess("Waiting for another attempt", true);
  }
}

function onRequest(event) {
  const good = event.ending === "whole" && event.status < 300;
  if (event.contactId !== current || event.endpoint !== "post" || good) return;
  note(event.ending === "whole" ? `GHL refused the reply (${event.status}).` : "The connection broke while the reply was sent.");
  guess("The reply was not confirmed", true);
}

function name(id, itsLocation) {
  if (!id || names.has(id)) return;
  names.set(id, itsLocation);
  if (names.size > SHOWN_CONTACTS) return;
  contact.append(new Option(id, id));
}

function clear() {
  seen.clear();
  messages.replaceChildren(element("p", "hint", "Say hello. The agent repeats your text, so you see what it received."));
  steps.replaceChildren(element("li", "none", "Nothing yet."));
  say("Ready", false);
}

async function open(id) {
  current = id;
  expected = "";
  contact.value = id;
  history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
  clear();
  if (!id) return offerAnswers(services.get(provider.value)), showTimeline({ connected, messages: [], events: [] });
  const itsLocation = names.get(id);
  if (services.has(itsLocation)) provider.value = itsLocation;
  offerAnswers(services.get(itsLocation));
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
  if (!world.webhook_url) note("No bridge is connected: messages stay in the simulator.");
}

async function offerProviders() {
  const found = await ask("/_sim/providers"), before = provider.value;
  ({ connected, console: consoleUrl } = found);
  forms = (await ask("/_sim/answers")).answers;
  services = new Map(found.locations.map((each) => [each.id, each.provider]));
  provider.replaceChildren(...found.locations.map((each) => new Option(`${each.provider}${each.mode === "draft" ? ", drafts only" : ""} (${each.name || each.id})`, each.id)));
  provider.value = services.has(before) ? before : services.has(locationId) ? locationId : found.locations[0]?.id;
  place("providers").hidden = !found.locations.length;
  place("kills").hidden = !found.killable;
  showTimeline({ connected, messages: [], events: [] });
}

function lookSoon() {
  looking ??= setTimeout(look, SOON_MS);
}

async function look() {
  clearTimeout(looking);
  looking = undefined;
  const asked = current;
  if (!asked || document.hidden) return;
  const found = await ask(`/_sim/timeline?id=${encodeURIComponent(asked)}`).catch((error) => ({ connected, messages: [], events: [], error: error.message }));
  if (asked !== current) return;
  if (found.connected !== connected) await offerProviders();
  showTimeline(found);
  if (found.connected && !found.error && (!expected || found.messages.some((each) => each.message_id === expected))) follow(found);
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

async function write(texts, more = {}) {
  await register();
  const chosen = mishap.value, how = { "webhook-never": { webhook: false }, "webhook-twice": { copies: 2 } }[chosen];
  say("Sending", true);
  expected = "none yet";
  await prepare(current, names.get(current), chosen);
  for (const said of texts) {
    const answer = await ask("/_sim/say", { contact_id: current, channel: channel.value, text: said, ...more, ...how });
    expected = answer.message_id;
    if (chosen === "webhook-never") say("Without a webhook: the bridge's sweep finds it", connected);
    else if (!answer.webhook_id) say("No bridge is connected", false);
  }
}

const KILLED = { worker: "The worker", web: "The receiver", redis: "Redis" };

async function kill(process) {
  await ask("/_sim/kills", { process });
  note(`${KILLED[process]} is killed, and started again at once.`, true);
}

const DEEDS = {
  human: () => human("This is Kim from the front desk. I'll take it from here."), burst: () => write(BURST), stop: () => write(["STOP"]),
  picture: () => write([""], { media: ["picture"] }), voice: () => write([""], { media: ["voice_note"] }),
  failure: () => ask("/_sim/failure", { contact_id: current || "of nobody" }),
  worker: () => kill("worker"), web: () => kill("web"), redis: () => kill("redis"),
};

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
  on("failure", onFailure);
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
// Beside the phone the settings are open; below it they are folded.
const wide = matchMedia("(min-width: 52.01rem)");
const unfold = () => { place("fold").open = wide.matches; };
wide.addEventListener("change", unfold);
unfold();
text.addEventListener("input", fit);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  place("write").requestSubmit();
});
begin().then(listen, (error) => note(`The simulator can't be reached: ${error.message}`));
