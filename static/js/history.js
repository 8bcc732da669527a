// The vehicle page's chart: one signal over the chosen hours.
const element = document.getElementById("history");
const empty = document.getElementById("history-empty");
const buttons = document.querySelectorAll("button[data-hours]");
let chart;

if (element) {
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  window.addEventListener("resize", () => chart?.setSize(size()));
  draw(24);
}

function choose(chosen) {
  for (const button of buttons) {
    button.classList.toggle("active", button === chosen);
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  draw(Number(chosen.dataset.hours));
}

async function draw(hours) {
  const [{ default: UPlot }, response] = await Promise.all([
    import(element.dataset.library),
    fetch(`${element.dataset.url}?hours=${hours}`),
  ]);
  const { times, values } = response.ok ? await response.json() : { times: [], values: [] };
  empty.hidden = times.length > 0;
  element.hidden = times.length === 0;
  chart?.destroy();
  chart = undefined;
  if (!times.length) return;
  const now = Date.now() / 1000;
  chart = new UPlot(options(now - hours * 3600, now), [times, values], element);
}

function options(from, to) {
  // A canvas knows no CSS variables: the page's own elements tell their computed colours.
  const { color: text, borderTopColor: border, outlineColor: line } = getComputedStyle(element);
  const lines = { stroke: border, width: 1 };
  return {
    ...size(),
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { min: from, max: to }, y: { range: [0, 100] } },
    axes: [
      { stroke: text, grid: lines, ticks: lines },
      { stroke: text, grid: lines, ticks: lines, values: (_, ticks) => ticks.map((tick) => `${tick} %`), size: 52 },
    ],
    series: [
      {},
      {
        label: "Level",
        stroke: line,
        width: 2,
        value: (_, value) => (value == null ? "–" : `${Math.round(value)} %`),
      },
    ],
  };
}

function size() {
  return { width: element.parentElement.clientWidth - 40, height: 200 };
}
