"use strict";
// The phone: the messages, and one line with the state of the newest message.

const place = (id) => document.getElementById(id);
const messages = place("messages"), state = place("state"), steps = place("steps");
const SHOWN_STEPS = 40;
const seen = new Set();
// The state of a message without an outcome, by the newest step of the timeline, else by its status.
const UNDER_WAY = {
  accepted: "The bridge waits for more messages", asking: "The agent is asked", unanswered: "The agent gave no answer",
  answered: "The reply is on its way", sending: "The reply is on its way", unknown: "Sent, but not confirmed: the bridge reads it back from GHL",
  not_sent: "It did not arrive and is sent again", waiting: "Waiting", retrying: "An attempt failed and is repeated", answering: "Being answered",
};
const ENDED = { replied: "Answered", delivered_by_provider: "Answered", no_reply: "No reply", skipped: "Not answered", dead: "Dead letter" };

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const words = (name) => name.replaceAll("_", " ");

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
  if (state.textContent !== status) state.textContent = status;
  const dots = messages.querySelector(".thinking");
  if (!thinking) return dots?.remove();
  if (dots) return;
  const made = element("div", "thinking");
  made.setAttribute("aria-hidden", "true");
  made.append(element("span"), element("span"), element("span"));
  messages.append(made);
  messages.scrollTop = messages.scrollHeight;
}

function follow(found) {
  // The status of the newest message comes from the bridge.
  const last = found.messages.at(-1), newest = found.events.at(-1)?.step;
  if (!last) return;
  const reason = last.reason ? `: ${words(last.reason)}` : "";
  if (found.on_hold && !["replied", "skipped"].includes(last.status)) return say("On hold: the location's login was refused", false);
  if (last.status === "replied" && [...messages.querySelectorAll(".about-message.outbound")].at(-1)?.classList.contains("comment")) return say("A draft for staff: nothing was sent", false);
  if (last.delivery === "undelivered") return say("Undelivered: GHL took the reply, and it did not reach the contact", false);
  if (last.status in ENDED) return say(ENDED[last.status] + reason, false);
  say(UNDER_WAY[last.status === "retrying" ? "retrying" : newest] || UNDER_WAY[last.status] || words(last.status), true);
}

const FILES = { picture: "Picture", voice_note: "Voice note" };

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
  bubble.append(element("span", "unseen", `${author(message)}: `), document.createTextNode(message.text || FILES[message.media.join()] || "A file"));
  add(bubble);
  const about = element("div", `about-message ${message.direction}${kind}`, `${author(message)} · ${message.channel} · ${clock(new Date(message.dateAdded))}`);
  about.dataset.message = message.id;
  add(about);
  if (message.status === "failed") showFailure(message);
}

function showFailure(message) {
  const about = [...messages.querySelectorAll("[data-message]")].find((each) => each.dataset.message === message.id);
  if (!about || about.querySelector(".bad")) return;
  about.append(element("span", "bad", " · not delivered"));
}
