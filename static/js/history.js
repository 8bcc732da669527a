// The vehicle page's chart: one signal over the chosen range of time.
const element = document.getElementById("history");
const message = document.getElementById("history-empty");
const signal = document.getElementById("history-signal");
const buttons = document.querySelectorAll("button[data-hours]");
let chart;
let asked = 0;

if (element) {
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  signal.addEventListener("change", draw);
  window.addEventListener("resize", () => chart?.setSize(size()));
  draw();
}

function choose(chosen) {
  for (const button of buttons) {
    button.classList.toggle("active", button === chosen);
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  draw();
}

async function draw() {
  const turn = ++asked;
  const chosen = document.querySelector("button[data-hours].active");
  const hours = Number(chosen.dataset.hours);
  const [{ default: UPlot }, history] = await Promise.all([
    import(element.dataset.library),
    load(`${signal.value}?hours=${hours}`),
  ]);
  if (turn !== asked) return; // something else was chosen meanwhile
  chart?.destroy();
  chart = undefined;
  const known = history?.values.filter((value) => value !== null) ?? [];
  say(history ? "Nothing was recorded in this time." : "The history could not be loaded. Choose a range to try again.");
  message.hidden = known.length > 0;
  element.hidden = known.length === 0;
  if (!known.length) return;
  const range = chosen.getAttribute("aria-label");
  element.setAttribute("aria-label", inWords(history, known, range));
  const now = Date.now() / 1000;
  chart = new UPlot(options(history, now - hours * 3600, now), [history.times, history.values], element);
}

async function load(address) {
  try {
    const response = await fetch(address);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

function say(words) {
  message.textContent = words;
}

function inWords({ label, unit }, known, range) {
  const [low, high, last] = [Math.min(...known), Math.max(...known), known.at(-1)].map((value) => written(value, unit));
  return `${label} over ${range}: from ${low} to ${high}, last ${last}.`;
}

function written(value, unit) {
  const number = value.toLocaleString("en", { maximumFractionDigits: 1 });
  return unit ? `${number} ${unit}` : number;
}

function options({ label, unit }, from, to) {
  // A canvas knows no CSS variables: the page's own elements tell their computed colours.
  const { color: text, borderTopColor: border, outlineColor: line } = getComputedStyle(element);
  const lines = { stroke: border, width: 1 };
  return {
    ...size(),
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { min: from, max: to }, ...(unit === "%" && { y: { range: [0, 100] } }) },
    axes: [
      { stroke: text, grid: lines, ticks: lines },
      {
        stroke: text,
        grid: lines,
        ticks: lines,
        values: (_, ticks) => ticks.map((tick) => written(tick, unit)),
        size: (_, ticks) => 18 + 7 * Math.max(4, ...(ticks ?? []).map((tick) => tick.length)),
      },
    ],
    series: [
      {},
      { label, stroke: line, width: 2, value: (_, value) => (value == null ? "–" : written(value, unit)) },
    ],
  };
}

function size() {
  return { width: element.parentElement.clientWidth - 40, height: 200 };
}
