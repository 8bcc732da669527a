// One chart of the history tab, drawn with uPlot: lines, or a band of states. All charts share the cursor and time axis.
const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4], [4, 2], [1, 4], [16, 4], [6, 2, 2, 2]];
const LEFT = 58; // the same for all charts, so that their time axes are aligned
const HEIGHT = { lines: 190, band: 84 };

// Draws `chart` into `element`. Returns an object with zoom(from, to) and destroy().
export function draw(UPlot, element, chart, options) {
  const styles = readStyles();
  const kind = chart.kind === "lines" ? lineChart(UPlot, chart, options, styles) : bandChart(chart, options, styles);
  const plot = new UPlot({ ...common(UPlot, element, chart, options, styles, kind), ...kind.parts }, kind.data, element);
  const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT[chart.kind] }));
  watch.observe(element);
  options.onValues(kind.at(options.end, plot));
  return {
    zoom: (from, to) => plot.setScale("x", { min: from, max: to }),
    destroy() {
      watch.disconnect();
      plot.destroy();
    },
  };
}

function common(UPlot, element, chart, { start, end, zone, language, onZoom, onReset, onValues }, styles, kind) {
  return {
    width: element.clientWidth,
    height: HEIGHT[chart.kind],
    padding: [8, 22, 0, kind.left],
    tzDate: (at) => UPlot.tzDate(new Date(at * 1000), zone),
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: chart.kind === "lines" },
      drag: { x: true, y: false, setScale: false },
      sync: { key: "history" },
      bind: { dblclick: () => () => (onReset(), null) },
    },
    select: { show: true },
    scales: { x: { min: start, max: end }, ...kind.scales },
    axes: [
      {
        stroke: styles.text, grid: { stroke: styles.grid, width: 1 }, ticks: { stroke: styles.grid, width: 1, size: 4 },
        font: styles.font, size: 40, gap: 4, space: 64, values: timeFormatter(zone, language),
      },
      ...kind.axes,
    ],
    hooks: {
      setCursor: [(plot) => {
        const left = plot.cursor.left;
        onValues(kind.at(left >= 0 ? plot.posToVal(left, "x") : plot.scales.x.max, plot));
      }],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        // All charts receive the same selection; only the one under the pointer handles it.
        if (width < 8 || !element.matches(":hover")) return;
        const [from, to] = [left, left + width].map((edge) => plot.posToVal(edge, "x"));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        onZoom(from, to);
      }],
      ...kind.hooks,
    },
  };
}

// A canvas can't use CSS variables, so their computed values are read here.
function readStyles() {
  const style = getComputedStyle(document.getElementById("history"));
  const named = (name) => style.getPropertyValue(name).trim();
  return {
    named,
    text: named("--chart-text"),
    grid: named("--chart-grid"),
    strong: named("--chart-strong"),
    font: `12px ${style.fontFamily}`,
  };
}

function lineChart(UPlot, chart, { language }, styles) {
  const tables = chart.lines.map(({ times, values, low, high }) => (low ? [times, low, high, values] : [times, values]));
  const series = [{}], bands = [], places = [];
  chart.lines.forEach((line, index) => {
    const color = styles.named(`--chart-${(index % 6) + 1}`);
    if (line.low) {
      const edge = { stroke: "transparent", width: 0, points: { show: false } };
      series.push(edge, { ...edge });
      bands.push({ series: [series.length - 1, series.length - 2], fill: withOpacity(color, 0.18) });
    }
    places.push(series.length);
    series.push({ stroke: color, width: 2, dash: DASHES[index], points: { show: () => false, size: 6, fill: color, filter: isolatedPoints } });
  });
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const grid = { stroke: styles.grid, width: 1 };
  return {
    data: tables.length > 1 ? UPlot.join(tables) : tables[0],
    parts: { series, bands },
    scales: chart.percent ? { y: { range: [0, 100] } } : { y: { range: (_, low, high) => paddedRange(UPlot, low, high) } },
    left: 0,
    axes: [{
      stroke: styles.text, grid, ticks: { show: false }, font: styles.font, size: LEFT, gap: 6, space: 36,
      values: (_, ticks) => ticks.map((tick) => number.format(tick)),
    }],
    at: (moment, plot) => chart.lines.map((line, index) => valueAt(line, moment, plot, places[index], number, chart.unit)),
    hooks: {},
  };
}

// Puts a flat line in the middle instead of at the edge.
function paddedRange(UPlot, low, high) {
  if (low == null) return [0, 1];
  if (low === high) return [low - 1, high + 1];
  return UPlot.rangeNum(low, high, 0.1, true);
}

// Returns the indexes of isolated points, which wouldn't be visible without a dot.
function isolatedPoints(plot, index) {
  const values = plot.data[index];
  const known = (place, step) => {
    let at = place + step;
    while (values[at] === undefined && at >= 0 && at < values.length) at += step;
    return values[at] ?? null;
  };
  const places = [];
  for (let place = 0; place < values.length; place++)
    if (values[place] != null && known(place, -1) === null && known(place, 1) === null) places.push(place);
  return places.length ? places : null;
}

// Formats a value with its unit, as in the language of `number`: "80%" in English, "80 %" in German.
export function withUnit(number, value, unit) {
  const language = number.resolvedOptions().locale;
  if (unit === "%") return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 }).format(value / 100);
  return unit ? `${number.format(value)} ${unit}` : number.format(value);
}

// Returns the value at a time: that of the last point up to then, or "–" in a gap.
function valueAt(line, moment, plot, place, number, unit) {
  let [low, high] = [0, line.times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line.times[middle] <= moment) low = middle + 1;
    else high = middle;
  }
  const value = line.values[low - 1];
  return value == null ? "–" : withUnit(number, value, unit);
}

function bandChart(chart, { start, end }, styles) {
  return {
    data: [[start, end], [null, null]],
    parts: { series: [{}, { show: false }] },
    scales: {},
    left: LEFT,
    axes: [],
    at: (moment) => {
      const segment = chart.segments.find(([from, until]) => from <= moment && moment <= until);
      return [segment ? chart.states[segment[2]] : "–"];
    },
    hooks: { draw: [(plot) => paint(plot, chart, styles)] },
  };
}

function paint(plot, chart, styles) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = styles.font.replace("12px", `${12 * ratio}px`);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const [from, until, state] of chart.segments) {
    const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
    const right = Math.min(plot.valToPos(until, "x", true), bbox.left + bbox.width);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    const color = styles.named(`--chart-${chart.tones[state]}`);
    ctx.fillStyle = withOpacity(color, 0.22);
    ctx.fillRect(left, bbox.top, Math.max(right - left, ratio), bbox.height);
    ctx.fillStyle = color;
    ctx.fillRect(left, bbox.top, Math.max(right - left, ratio), 3 * ratio);
    const room = right - left - 10 * ratio;
    const words = truncated(ctx, chart.states[state], room);
    ctx.fillStyle = styles.strong;
    if (words) ctx.fillText(words, left + 5 * ratio, bbox.top + bbox.height / 2 + ratio);
  }
  ctx.restore();
}

function truncated(ctx, words, room) {
  if (ctx.measureText(words).width <= room) return words;
  let cut = words;
  while (cut.length > 2 && ctx.measureText(`${cut}…`).width > room) cut = cut.slice(0, -1);
  return cut.length > 2 ? `${cut}…` : "";
}

// `color` is #rrggbb.
function withOpacity(color, share) {
  return color + Math.round(share * 255).toString(16).padStart(2, "0");
}

// Returns a formatter for axis labels with the precision of the ticks, in the page's language and fleet's time zone.
function timeFormatter(zone, language) {
  const format = (options) => new Intl.DateTimeFormat(language, { timeZone: zone, ...options });
  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = format({ day: "numeric", month: "short" });
  const month = format({ month: "short" });
  const year = format({ year: "numeric" });
  const DAY = 86_400;
  return (_, ticks, _axis, _space, step) => {
    const [fine, coarse] = step < DAY ? [clock, day] : step < 28 * DAY ? [day, year] : [step < 365 * DAY ? month : year, year];
    let before = "";
    return ticks.map((tick) => {
      const moment = new Date(tick * 1000);
      const within = coarse.format(moment);
      const label = within === before || fine === coarse ? fine.format(moment) : `${fine.format(moment)}\n${within}`;
      before = within;
      return label;
    });
  };
}
