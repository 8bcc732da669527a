// The points of a chart as a table, newest first.
const MAX_ROWS = 500;

// Fills `container` with the table of `chart`; `shown` has start, end, zone, language, the column headers and
// `withUnit` of history-drawing.js.
export function fillTable(container, chart, shown) {
  const [heads, rows] = chart.kind === "lines" ? lineTable(chart, shown) : bandTable(chart, shown);
  const table = document.createElement("table");
  table.className = "table table-sm";
  const head = table.createTHead().insertRow();
  for (const words of heads) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = words;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, MAX_ROWS)) {
    const line = body.insertRow();
    for (const words of row) line.insertCell().textContent = words;
  }
  const note = document.createElement("p");
  note.className = "sub";
  note.textContent = rows.length > MAX_ROWS ? shown.words.rowsCut.replace("{count}", MAX_ROWS) : "";
  container.replaceChildren(note, table);
}

function lineTable({ lines, unit }, { start, end, zone, language, words, withUnit }) {
  const when = clock(zone, language);
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const formatValue = (value) => (value == null ? "–" : withUnit(number, value, unit));
  const moments = new Map();
  lines.forEach(({ times, values, low, high }, index) => {
    times.forEach((at, place) => {
      if (values[place] == null || at >= end || (at < start && !low)) return;
      const row = moments.get(at) ?? lines.map(() => "");
      const spread = low ? ` (${formatValue(low[place])} – ${formatValue(high[place])})` : "";
      row[index] = formatValue(values[place]) + spread;
      moments.set(at, row);
    });
  });
  const rows = [...moments].sort(([one], [other]) => other - one).map(([at, row]) => [when(at), ...row]);
  return [[words.time, ...lines.map((line) => line.label)], rows];
}

function bandTable({ segments, states }, { zone, language, words }) {
  const when = clock(zone, language);
  const rows = segments.map(([from, until, state]) => [when(from), when(until), states[state]]).reverse();
  return [[words.from, words.until, words.state], rows];
}

function clock(zone, language) {
  const format = new Intl.DateTimeFormat(language, {
    dateStyle: "medium", timeStyle: "medium", hourCycle: "h23", timeZone: zone,
  });
  return (at) => format.format(new Date(at * 1000));
}
