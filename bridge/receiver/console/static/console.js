// Every page also works without this script.
"use strict";

const AGAIN_MS = 30000;
const AT_MOST_EVERY_MS = 1500;
const shown = new WeakMap();
const state = { held: false, asked: 0, waits: null };

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const hour = (moment) => moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clock = (moment) => moment.toLocaleTimeString([], { hourCycle: "h23" });

// A time of day is in its location's zone; the reader's own follows where it is another one.
function addMine(time, own) {
  if (own === time.textContent || time.querySelector(".mine")) return;
  const mine = document.createElement("span");
  mine.className = "mine";
  mine.textContent = ` (${own})`;
  time.append(mine);
}

// Hours of charts in the reader's own zone, exact times on hover.
function localize(root) {
  for (const time of root.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString();
    if ("clock" in time.dataset) addMine(time, clock(moment));
    if ("hour" in time.dataset) time.textContent = hour(moment);
  }
  for (const title of root.querySelectorAll("title[data-at]")) {
    title.textContent = hour(new Date(title.dataset.at)) + title.textContent.slice(5);
  }
  for (const zone of root.querySelectorAll("[data-zone]")) zone.textContent = ZONE;
  for (const legend of root.querySelectorAll("[data-viewer]")) legend.hidden = !document.querySelector(".mine");
}

// Content that has the focus or is selected is not replaced.
function inUse(part) {
  const selection = document.getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

function replace(part, fresh) {
  if (!fresh || inUse(part) || shown.get(part) === fresh.innerHTML) return;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  part.className = fresh.className;
  part.innerHTML = fresh.innerHTML;
  shown.set(part, fresh.innerHTML);
  part.querySelectorAll("details").forEach((one, at) => { one.open = open[at] || false; });
  localize(part);
}

// Load this page again and replace the sections that differ.
async function refresh() {
  state.waits = null;
  if (state.held || document.hidden) return;
  state.asked = Date.now();
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) replace(part, fresh.getElementById(part.id));
}

function soon() {
  if (state.waits === null) state.waits = setTimeout(refresh, Math.max(0, state.asked + AT_MOST_EVERY_MS - Date.now()));
}

function watch() {
  const live = document.getElementById("live");
  const text = live.querySelector(".live-text");
  const source = new EventSource("/console/events");
  let lost = null;
  const say = (word, away) => { live.hidden = false; live.classList.toggle("away", away); if (text.textContent !== word) text.textContent = word; };
  // The stream itself opens while Redis is stuck: only its word counts.
  source.addEventListener("here", () => { clearTimeout(lost); lost = null; say("live", false); });
  source.addEventListener("lost", () => say("connection lost", true));
  source.addEventListener("happened", soon);
  // A stream that ends is opened again immediately; only a longer interruption is shown.
  source.addEventListener("error", () => { lost = lost || setTimeout(() => say("connection lost", true), 4000); });
  setInterval(soon, AGAIN_MS);
  document.addEventListener("visibilitychange", soon);
}

function ticks() {
  const all = document.querySelector("[data-all]");
  if (!all) return;
  const boxes = [...document.querySelectorAll("input[name=id]")];
  const chosen = document.querySelector("[data-chosen]");
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    chosen.textContent = `(${count})`;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); tell(); });
  boxes.forEach((box) => box.addEventListener("change", () => { document.querySelector("input[name=scope][value=chosen]").checked = true; tell(); }));
  tell();
}

function pause() {
  const button = document.querySelector("[data-pause]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    state.held = !state.held;
    button.setAttribute("aria-pressed", String(state.held));
    soon();
  });
}

// A screen reader says what changes in a live region, but not what stands in it when the page is loaded.
function announce() {
  const told = [...document.querySelectorAll("main [role=alert], main [role=status]")].map((each) => each.innerText.trim());
  if (told.length) setTimeout(() => { document.getElementById("announced").textContent = told.join(" "); }, 300);
}

function offerPrint() {
  const button = document.querySelector("[data-print]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

localize(document);
announce();
offerPrint();
ticks();
pause();
if (window.EventSource && document.getElementById("live")) watch();
