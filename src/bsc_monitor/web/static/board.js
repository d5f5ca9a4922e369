"use strict";

// Times are absolute in the page; here they become relative and stay so.
const UNITS = [[31536000, "year"], [2592000, "month"], [604800, "week"], [86400, "day"], [3600, "hour"], [60, "minute"]];

function duration(seconds) {
  for (const [size, word] of UNITS) {
    if (seconds >= size * (size >= 604800 ? 2 : 1)) {
      const count = Math.floor(seconds / size);
      return `${count} ${word}${count === 1 ? "" : "s"}`;
    }
  }
  return seconds >= 10 ? `${Math.floor(seconds)} s` : "moments";
}

function tellTimes(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-how]")) {
    const seconds = (now - Date.parse(time.dateTime)) / 1000;
    if (!Number.isFinite(seconds) || time.dataset.how === "at") continue;
    const text = duration(Math.abs(seconds));
    if (seconds < -5) time.textContent = `in ${text}`;
    else if (time.dataset.how === "for") time.textContent = text;
    else time.textContent = seconds < 10 ? "just now" : `${text} ago`;
  }
}

function tellLive(state, text) {
  const live = document.getElementById("live");
  if (!live || live.dataset.state === state) return;
  live.dataset.state = state;
  live.lastElementChild.textContent = text;
}

document.addEventListener("DOMContentLoaded", () => {
  tellTimes(document);
  setInterval(() => tellTimes(document), 15000);

  const here = document.querySelector("nav [aria-current]");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40; // on a phone it may stand outside

  document.getElementById("theme")?.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("bsc-theme", root.dataset.theme); } catch { /* it lasts as long as the page */ }
    document.dispatchEvent(new Event("bsc:theme"));
  });

  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
  }
});

// What somebody opened stays open when its piece of the page comes anew, and a form that is being filled in stays as it is.
let writing = null;

document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
  writing = document.activeElement;
  for (const open of target.querySelectorAll("details[open]")) {
    const name = open.firstElementChild.id;
    const fresh = name && fragment.querySelector(`#${CSS.escape(name)}`)?.parentElement;
    if (!fresh) continue;
    if (open.querySelector("form")) fresh.replaceWith(open);
    else fresh.open = true;
  }
});

document.addEventListener("htmx:sseOpen", () => tellLive("on", "Live"));
document.addEventListener("htmx:sseError", () => tellLive("off", "Reconnecting"));
document.addEventListener("htmx:sseMessage", (event) => {
  // The service restarted or took another configuration: every page of a thousand comes back at its own moment.
  if (event.target.id === "restart") setTimeout(() => location.reload(), Math.random() * 2000);
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const element = document.getElementById(event.detail.target.id) ?? event.detail.target;
  tellTimes(element);
  if (writing?.isConnected && writing !== document.activeElement) writing.focus({ preventScroll: true });
  element.classList.add("changed");
  setTimeout(() => element.classList.remove("changed"), 1600);
  document.dispatchEvent(new CustomEvent("bsc:changed", { detail: element.id }));
});
