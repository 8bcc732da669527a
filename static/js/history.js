// The history tab: the selection is in the URL, all charts are loaded with one request, and can be zoomed and moved.
const place = document.getElementById("history");
if (place) start();

async function start() {
  const { library, drawing, tables } = place.dataset;
  // Their URLs are hashed and known only to the page.
  const [{ default: UPlot }, { draw, withUnit }, { fillTable }] = await Promise.all([
    import(library),
    import(drawing),
    import(tables),
  ]);
  new History(UPlot, draw, (container, chart, shown) => fillTable(container, chart, { ...shown, withUnit }));
}

class History {
  constructor(UPlot, draw, fillTable) {
    Object.assign(this, { UPlot, draw, fillTable, charts: new Map(), requestCount: 0 });
    this.form = document.getElementById("history-form");
    this.filter = document.getElementById("signal-filter");
    this.status = document.getElementById("history-status");
    this.problem = document.getElementById("history-problem");
    this.texts = place.dataset;
    this.language = document.documentElement.lang;
    if (this.language === "en") this.language = "en-GB"; // the date format of the server
    this.listen();
    // If the URL is invalid, the page shows why and waits for a new selection.
    if (this.texts.problem) return void place.replaceChildren();
    this.query = this.home = parseQuery(this.texts.query);
    history.replaceState({ home: this.home }, "");
    this.load();
  }

  listen() {
    this.form.addEventListener("submit", (event) => this.onSubmit(event));
    this.form.addEventListener("change", (event) => {
      if (event.target.name === "signals") this.onSelection();
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "checkbox") return;
      event.preventDefault(); // otherwise the first button would be activated
      if (event.target !== this.filter) document.getElementById("history-custom").click();
    });
    this.filter.addEventListener("input", () => this.filterSignals());
    for (const button of this.form.querySelectorAll("[data-move]"))
      button.addEventListener("click", () => this.move(button.dataset.move));
    document.getElementById("history-retry").addEventListener("click", () => this.load());
    place.addEventListener("keydown", (event) => this.onKey(event));
    place.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove-signal]");
      if (button) this.remove(button.dataset.removeSignal);
    });
    window.addEventListener("popstate", (event) => {
      this.home = event.state?.home ?? parseQuery(location.search);
      this.query = parseQuery(location.search);
      if (!this.query.signals.length) this.query = this.home;
      this.show();
      this.load();
    });
    new MutationObserver(() => this.redraw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    // Charts up to now are updated regularly, unless the pointer is on them.
    setInterval(() => {
      if (this.query?.range && !document.hidden && !place.matches(":hover")) this.load({ quietly: true });
    }, 60_000);
  }

  onSubmit(event) {
    event.preventDefault();
    const signals = this.checkboxes().filter((box) => box.checked).map((box) => box.value);
    const range = event.submitter?.name === "range" ? event.submitter.value : "";
    const [from, to] = ["history-from", "history-to"].map((id) => document.getElementById(id).value);
    if (!range && !from && !to) return;
    this.form.querySelector(".custom-range").open = false;
    this.go({ signals, ...(range ? { range } : { from, to }) }, { home: true });
  }

  checkboxes() {
    return [...this.form.querySelectorAll('input[name="signals"]')];
  }

  onSelection() {
    const signals = this.checkboxes().filter((box) => box.checked).map((box) => box.value);
    // Signals that are already charted retain their order; new ones are added at the end.
    const retained = (this.query?.signals ?? []).filter((code) => signals.includes(code));
    const added = signals.filter((code) => !retained.includes(code));
    const times = this.query ?? { range: "24h" };
    this.go({ ...times, signals: [...retained, ...added] }, { signalsOnly: true });
  }

  remove(code) {
    this.go({ ...this.query, signals: this.query.signals.filter((each) => each !== code) }, { signalsOnly: true });
    place.focus({ preventScroll: true });
  }

  go(query, { home = false, signalsOnly = false } = {}) {
    this.query = query;
    if (home || !this.home) this.home = query;
    if (signalsOnly) this.home = { ...this.home, signals: query.signals };
    history.pushState({ home: this.home }, "", `?${formatQuery(query)}`);
    this.show();
    this.load();
  }

  // Updates the form to match the charts.
  show() {
    const { signals, range = "" } = this.query;
    const full = signals.length >= Number(this.texts.most);
    for (const box of this.checkboxes()) {
      box.checked = signals.includes(box.value);
      box.disabled = full && !box.checked;
    }
    this.form.querySelector("[data-count]").textContent = signals.length;
    document.getElementById("signal-found").textContent = full ? this.texts.tooMany : "";
    for (const button of this.form.querySelectorAll('button[name="range"]')) {
      button.classList.toggle("active", button.value === range);
      button.setAttribute("aria-pressed", String(button.value === range));
    }
    const file = `${this.texts.csv}?${formatQuery(this.query)}`;
    document.getElementById("history-csv").href = file;
    document.getElementById("history-excel").href = `${file}&format=excel`;
  }

  filterSignals() {
    const term = this.filter.value.trim().toLocaleLowerCase(this.language);
    let found = 0;
    for (const set of this.form.querySelectorAll("fieldset")) {
      let within = 0;
      for (const option of set.querySelectorAll(".signal-option")) {
        option.hidden = !option.dataset.text.includes(term);
        within += !option.hidden;
      }
      set.hidden = !within;
      found += within;
    }
    const { foundNone, foundOne, foundMany } = this.texts;
    const words = found === 0 ? foundNone : found === 1 ? foundOne : foundMany.replace("{count}", found);
    document.getElementById("signal-found").textContent = term ? words : "";
  }

  onKey(event) {
    if (event.target !== place || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "out", 0: "reset", Escape: "reset" };
    if (!keys[event.key]) return;
    event.preventDefault();
    this.move(keys[event.key]);
  }

  move(how) {
    if (!this.shown) return;
    if (how === "reset") return void this.go(this.home);
    const { start, end } = this.shown;
    const span = end - start;
    const [from, to] = {
      earlier: [start - span / 2, end - span / 2],
      later: [start + span / 2, end + span / 2],
      in: [start + span / 4, end - span / 4],
      out: [start - span / 2, end + span / 2],
    }[how];
    this.zoom(from, to);
  }

  zoom(from, to) {
    const longest = Number(this.texts.longestDays) * 86_400;
    const span = Math.min(Math.max(to - from, 60), longest);
    const middle = (from + to) / 2;
    // The future has no data.
    const end = Math.min(middle + span / 2, Date.now() / 1000);
    const [start, until] = [end - span, end].map(Math.round);
    // Zooms immediately; details follow once the data is loaded.
    for (const chart of this.charts.values()) chart.drawn?.zoom(start, until);
    this.shown = { ...this.shown, start, end: until };
    const iso = (at) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
    this.go({ signals: this.query.signals, from: iso(start), to: iso(until) });
  }

  async load({ quietly = false } = {}) {
    const turn = ++this.requestCount;
    if (!this.query.signals.length) return this.empty();
    this.problem.hidden = true;
    if (!quietly) this.status.textContent = this.texts.loading;
    place.setAttribute("aria-busy", "true");
    const data = await fetchJson(`${this.texts.url}?${formatQuery(this.query)}`);
    if (turn !== this.requestCount) return; // the selection has changed in the meantime
    place.setAttribute("aria-busy", "false");
    this.status.textContent = "";
    if (data?.charts) return this.render(data);
    if (quietly) return;
    this.problem.querySelector("[data-problem]").textContent = data?.error ?? this.texts.failed;
    document.getElementById("history-retry").hidden = Boolean(data?.error);
    this.problem.hidden = false;
    for (const each of place.querySelectorAll(".chart-placeholder")) each.remove();
  }

  empty() {
    this.status.textContent = this.texts.noneChosen;
    for (const chart of this.charts.values()) chart.drawn?.destroy();
    this.charts.clear();
    place.replaceChildren();
    place.setAttribute("aria-busy", "false");
  }

  render(data) {
    this.shown = data;
    this.showTime(data);
    const before = this.charts;
    this.charts = new Map();
    const figures = data.charts.map((chart) => {
      const key = codesOf(chart).join();
      const entry = before.get(key) ?? this.figure(chart);
      before.delete(key);
      this.charts.set(key, { ...entry, chart });
      return entry.figure;
    });
    for (const { drawn } of before.values()) drawn?.destroy();
    if (figures.some((figure, index) => place.children[index] !== figure) || place.children.length !== figures.length)
      place.replaceChildren(...figures);
    for (const each of this.charts.values()) this.fill(each);
  }

  figure(chart) {
    const figure = document.getElementById("chart-template").content.firstElementChild.cloneNode(true);
    figure.classList.add(`chart-${chart.kind}`);
    const legend = figure.querySelector(".chart-legend");
    const template = document.getElementById("legend-template").content.firstElementChild;
    const series = chart.kind === "lines" ? chart.lines : [chart];
    series.forEach(({ code, label }, index) => {
      const entry = template.cloneNode(true);
      entry.querySelector(".legend-mark").classList.add(chart.kind === "lines" ? `legend-${index + 1}` : "legend-band");
      const unit = chart.unit && chart.kind === "lines" ? ` (${chart.unit})` : "";
      entry.querySelector(".legend-label").textContent = label + unit;
      const remove = entry.querySelector("button");
      remove.dataset.removeSignal = code;
      remove.setAttribute("aria-label", this.texts.remove.replace("{signal}", label));
      legend.append(entry);
    });
    const created = { figure };
    const details = figure.querySelector("details");
    details.addEventListener("toggle", () => this.table(figure, details));
    return created;
  }

  fill(entry) {
    const { figure, chart } = entry;
    entry.drawn?.destroy();
    const empty = chart.kind === "lines" ? chart.lines.every((line) => !line.times.length) : !chart.segments.length;
    const canvas = figure.querySelector(".chart-canvas");
    figure.querySelector(".chart-empty").hidden = !empty;
    canvas.hidden = empty;
    figure.querySelector("figcaption").textContent = empty ? "" : chart.summary;
    const labels = chart.kind === "lines" ? chart.lines.map((line) => line.label).join(", ") : chart.label;
    canvas.setAttribute("aria-label", `${labels}. ${chart.summary}`);
    entry.drawn = empty ? undefined : this.drawChart(entry, canvas);
    const details = figure.querySelector("details");
    details.hidden = empty;
    this.table(figure, details);
  }

  drawChart({ figure, chart }, canvas) {
    const values = [...figure.querySelectorAll(".legend-value")];
    const { start, end } = this.shown;
    return this.draw(this.UPlot, canvas, chart, {
      start,
      end,
      zone: this.texts.zone,
      language: this.language,
      onZoom: (from, to) => this.zoom(from, to),
      onReset: () => this.move("reset"),
      onValues: (texts) => texts.forEach((text, index) => (values[index].textContent = text)),
    });
  }

  table(figure, details) {
    const entry = [...this.charts.values()].find((each) => each.figure === figure);
    const container = details.querySelector(".table-scroll");
    if (!details.open || !entry) return void container.replaceChildren();
    const { zone, time, from, until, state, rowsCut } = this.texts;
    const words = { time, from, until, state, rowsCut };
    this.fillTable(container, entry.chart, { ...this.shown, zone, language: this.language, words });
  }

  redraw() {
    for (const entry of this.charts.values()) this.fill(entry);
  }

  showTime({ start, end }) {
    const format = new Intl.DateTimeFormat(this.language, {
      dateStyle: "medium", timeStyle: "short", hourCycle: "h23", timeZone: this.texts.zone,
    });
    const text = format.formatRange(new Date(start * 1000), new Date(end * 1000));
    document.getElementById("history-time").textContent = `${text} (${this.texts.zone})`;
    if (this.form.querySelector(".custom-range").open) return; // the user may be typing there
    document.getElementById("history-from").value = formatField(start, this.texts.zone);
    document.getElementById("history-to").value = formatField(end, this.texts.zone);
  }
}

const codesOf = (chart) => (chart.kind === "lines" ? chart.lines.map((line) => line.code) : [chart.code]);

// Formats a time for a datetime-local field, whose format matches that of Swedish.
function formatField(at, zone) {
  const format = { dateStyle: "short", timeStyle: "short", timeZone: zone };
  return new Intl.DateTimeFormat("sv-SE", format).format(new Date(at * 1000)).replace(" ", "T");
}

function parseQuery(query) {
  const params = new URLSearchParams(query);
  const signals = params.getAll("signals").flatMap((part) => part.split(",")).filter(Boolean);
  const [range, from, to] = ["range", "from", "to"].map((name) => params.get(name) ?? "");
  return range || (!from && !to) ? { signals, range: range || "24h" } : { signals, from, to };
}

function formatQuery({ signals, range, from, to }) {
  const times = range ? { range } : Object.fromEntries(Object.entries({ from, to }).filter(([, value]) => value));
  return new URLSearchParams({ signals: signals.join(","), ...times }).toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
}

async function fetchJson(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    return response.ok || response.status === 400 ? await response.json() : null;
  } catch {
    return null;
  }
}
