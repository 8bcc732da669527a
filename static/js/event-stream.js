// Keeps the open page up to date. The element with data-live has the URL of the event stream, whose events are dispatched
// on document.body: "stream:fleet" and "stream:rows" for the vehicles page, "vehicle:updated" for a vehicle's page, and
// "stream:resync" after events were lost. Without a stream, "stream:poll" and "vehicle:updated" are dispatched every few
// seconds, and the live indicator shows that.
const POLL = 5000;
const RETRY = 20_000;
const GRACE = 8000; // the server ends streams regularly; reconnecting takes a moment
const HEARTBEAT_TIMEOUT = 40_000; // the server sends a heartbeat every 15 s
const HIDDEN_TIMEOUT = 30_000; // browsers allow six connections per site, so hidden pages close theirs

const indicator = document.getElementById("live-sign");
let address, source, offset, pollTimer, retryTimer, graceTimer, heartbeatTimer, hiddenTimer;

const emit = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));

function show(state) {
  if (!indicator || indicator.dataset.state === state) return;
  indicator.dataset.state = state;
  indicator.querySelector("[data-words]").textContent = state === "live" ? indicator.dataset.sayLive : indicator.dataset.sayPolling;
}

function open() {
  close();
  const url = new URL(address, location.href);
  if (offset) url.searchParams.set("since", offset);
  source = new EventSource(url);
  for (const name of ["fleet", "rows", "vehicle", "resync", "heartbeat"]) source.addEventListener(name, onMessage);
  source.addEventListener("error", onError);
  graceTimer = setTimeout(fallBack, GRACE);
}

function close() {
  source?.close();
  source = undefined;
  for (const timer of [retryTimer, graceTimer, heartbeatTimer]) clearTimeout(timer);
  graceTimer = undefined;
}

function onMessage({ type, data, lastEventId }) {
  if (lastEventId) offset = lastEventId;
  clearTimeout(graceTimer);
  graceTimer = undefined;
  clearTimeout(heartbeatTimer);
  heartbeatTimer = setTimeout(reconnect, HEARTBEAT_TIMEOUT);
  clearInterval(pollTimer);
  pollTimer = undefined;
  show("live");
  if (type === "vehicle") emit("vehicle:updated");
  else if (type !== "heartbeat") emit(`stream:${type}`, JSON.parse(data));
}

// The browser reconnects by itself, with an error event per attempt. All attempts share one grace period.
function onError() {
  if (source?.readyState === EventSource.CLOSED) fallBack();
  else graceTimer ??= setTimeout(fallBack, GRACE);
}

function reconnect() {
  fallBack();
  open();
}

function fallBack() {
  close();
  show("polling");
  clearInterval(pollTimer);
  pollTimer = setInterval(poll, POLL);
  poll();
  retryTimer = setTimeout(open, RETRY);
}

function poll() {
  if (document.hidden) return;
  emit("stream:poll");
  emit("vehicle:updated");
}

function attach() {
  const nextAddress = document.querySelector("[data-live]")?.dataset.live;
  if (!nextAddress || nextAddress === address) return;
  address = nextAddress;
  offset = undefined; // the new content is newer than all received events
  if (!pollTimer) open(); // else the next retry uses the new URL, which changes often while polling
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_TIMEOUT);
  else if (address && !source) open();
});
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => event.persisted && address && open());
document.addEventListener("htmx:afterSettle", attach);
document.addEventListener("table:updated", attach);
attach();
