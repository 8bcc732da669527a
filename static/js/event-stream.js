// Keeps the open page current. The element with data-live names the stream of its news; they are handed on as events of
// document.body: "live:fleet" and "live:rows" for the fleet page, "car-changed" for the page of a car, "live:resync"
// when news were lost. Without a stream "live:poll" and "car-changed" come every few seconds, and the sign says so.
const POLL = 5000;
const RETRY = 20_000;
const GRACE = 8000; // the server ends a stream now and then; coming back takes a moment
const SILENCE = 40_000; // it says something every 15 s
const HIDDEN = 30_000; // a browser has six connections to a site: pages that nobody looks at give theirs back

const sign = document.getElementById("live-sign");
let address, source, place, polling, retry, grace, silence, hidden;

const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));

function show(state) {
  if (!sign || sign.dataset.state === state) return;
  sign.dataset.state = state;
  sign.querySelector("[data-words]").textContent = state === "live" ? sign.dataset.sayLive : sign.dataset.sayPolling;
}

function open() {
  close();
  const url = new URL(address, location.href);
  if (place) url.searchParams.set("since", place);
  source = new EventSource(url);
  for (const name of ["fleet", "rows", "car", "resync", "beat"]) source.addEventListener(name, heard);
  source.addEventListener("error", broken);
  grace = setTimeout(lost, GRACE);
}

function close() {
  source?.close();
  source = undefined;
  for (const timer of [retry, grace, silence]) clearTimeout(timer);
  grace = undefined;
}

function heard({ type, data, lastEventId }) {
  if (lastEventId) place = lastEventId;
  clearTimeout(grace);
  grace = undefined;
  clearTimeout(silence);
  silence = setTimeout(again, SILENCE);
  clearInterval(polling);
  polling = undefined;
  show("live");
  if (type === "car") tell("car-changed");
  else if (type !== "beat") tell(`live:${type}`, JSON.parse(data));
}

// The browser tries again by itself, each time with an error: all of them together have the one time.
function broken() {
  if (source?.readyState === EventSource.CLOSED) lost();
  else grace ??= setTimeout(lost, GRACE);
}

function again() {
  lost();
  open();
}

function lost() {
  close();
  show("polling");
  clearInterval(polling);
  polling = setInterval(poll, POLL);
  poll();
  retry = setTimeout(open, RETRY);
}

function poll() {
  if (document.hidden) return;
  tell("live:poll");
  tell("car-changed");
}

function follow() {
  const wanted = document.querySelector("[data-live]")?.dataset.live;
  if (!wanted || wanted === address) return;
  address = wanted;
  place = undefined; // the new part was made later than what was heard before
  if (!polling) open(); // else the next try goes there: what polls renews itself often
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(close, HIDDEN);
  else if (address && !source) open();
});
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => event.persisted && address && open());
document.addEventListener("htmx:afterSettle", follow);
document.addEventListener("cars:drawn", follow);
follow();
