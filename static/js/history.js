// The history tab: what is chosen stands in the address; one question for all charts; zoom, move and back.
const place = document.getElementById("history");
if (place) start();

async function start() {
  const { library, drawing, tables } = place.dataset;
  // By their hashed addresses, which only the page knows.
  const [{ default: UPlot }, { draw }, { fillTable }] = await Promise.all([
    import(library),
    import(drawing),
    import(tables),
  ]);
  new History(UPlot, draw, fillTable);
}

class History {
  constructor(UPlot, draw, fillTable) {
    Object.assign(this, { UPlot, draw, fillTable, charts: new Map(), asked: 0 });
    this.form = document.getElementById("history-form");
    this.filter = document.getElementById("signal-filter");
    this.status = document.getElementById("history-status");
    this.problem = document.getElementById("history-problem");
    this.say = place.dataset;
    this.language = document.documentElement.lang;
    if (this.language === "en") this.language = "en-GB"; // as the server writes dates
    this.listen();
    // A page that says what is wrong with its address waits for another choice.
    if (this.say.problem) return void place.replaceChildren();
    this.question = this.home = read(this.say.query);
    history.replaceState({ home: this.home }, "");
    this.load();
  }

  listen() {
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.addEventListener("change", (event) => {
      if (event.target.name === "signals") this.chosen();
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "checkbox") return;
      event.preventDefault(); // else the first button would be pressed
      if (event.target !== this.filter) document.getElementById("history-custom").click();
    });
    this.filter.addEventListener("input", () => this.find());
    for (const button of this.form.querySelectorAll("[data-move]"))
      button.addEventListener("click", () => this.move(button.dataset.move));
    document.getElementById("history-retry").addEventListener("click", () => this.load());
    place.addEventListener("keydown", (event) => this.pressed(event));
    place.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove-signal]");
      if (button) this.remove(button.dataset.removeSignal);
    });
    window.addEventListener("popstate", (event) => {
      this.home = event.state?.home ?? read(location.search);
      this.question = read(location.search);
      if (!this.question.signals.length) this.question = this.home;
      this.show();
      this.load();
    });
    new MutationObserver(() => this.redraw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    // What reaches up to now goes on with it, while nobody points at it.
    setInterval(() => {
      if (this.question?.range && !document.hidden && !place.matches(":hover")) this.load({ quietly: true });
    }, 60_000);
  }

  submitted(event) {
    event.preventDefault();
    const signals = this.boxes().filter((box) => box.checked).map((box) => box.value);
    const range = event.submitter?.name === "range" ? event.submitter.value : "";
    const [from, to] = ["history-from", "history-to"].map((id) => document.getElementById(id).value);
    if (!range && !from && !to) return;
    this.form.querySelector(".custom-range").open = false;
    this.go({ signals, ...(range ? { range } : { from, to }) }, { home: true });
  }

  boxes() {
    return [...this.form.querySelectorAll('input[name="signals"]')];
  }

  chosen() {
    const signals = this.boxes().filter((box) => box.checked).map((box) => box.value);
    // Those drawn already keep their order; a new one goes to the end.
    const kept = (this.question?.signals ?? []).filter((code) => signals.includes(code));
    const added = signals.filter((code) => !kept.includes(code));
    const times = this.question ?? { range: "24h" };
    this.go({ ...times, signals: [...kept, ...added] }, { signalsOnly: true });
  }

  remove(code) {
    this.go({ ...this.question, signals: this.question.signals.filter((each) => each !== code) }, { signalsOnly: true });
    place.focus({ preventScroll: true });
  }

  go(question, { home = false, signalsOnly = false } = {}) {
    this.question = question;
    if (home || !this.home) this.home = question;
    if (signalsOnly) this.home = { ...this.home, signals: question.signals };
    history.pushState({ home: this.home }, "", `?${written(question)}`);
    this.show();
    this.load();
  }

  // The form says what is drawn.
  show() {
    const { signals, range = "" } = this.question;
    const full = signals.length >= Number(this.say.most);
    for (const box of this.boxes()) {
      box.checked = signals.includes(box.value);
      box.disabled = full && !box.checked;
    }
    this.form.querySelector("[data-count]").textContent = signals.length;
    document.getElementById("signal-found").textContent = full ? this.say.tooMany : "";
    for (const button of this.form.querySelectorAll('button[name="range"]')) {
      button.classList.toggle("active", button.value === range);
      button.setAttribute("aria-pressed", String(button.value === range));
    }
    document.getElementById("history-csv").href = `${this.say.csv}?${written(this.question)}`;
  }

  find() {
    const wanted = this.filter.value.trim().toLocaleLowerCase(this.language);
    let found = 0;
    for (const set of this.form.querySelectorAll("fieldset")) {
      let within = 0;
      for (const option of set.querySelectorAll(".signal-option")) {
        option.hidden = !option.dataset.text.includes(wanted);
        within += !option.hidden;
      }
      set.hidden = !within;
      found += within;
    }
    const { foundNone, foundOne, foundMany } = this.say;
    const words = found === 0 ? foundNone : found === 1 ? foundOne : foundMany.replace("{count}", found);
    document.getElementById("signal-found").textContent = wanted ? words : "";
  }

  pressed(event) {
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
    const longest = Number(this.say.longestDays) * 86_400;
    const span = Math.min(Math.max(to - from, 60), longest);
    const middle = (from + to) / 2;
    // Nothing is known of what is to come.
    const end = Math.min(middle + span / 2, Date.now() / 1000);
    const [start, until] = [end - span, end].map(Math.round);
    for (const chart of this.charts.values()) chart.drawn?.zoom(start, until); // at once, finer when it has come
    this.shown = { ...this.shown, start, end: until };
    const told = (at) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
    this.go({ signals: this.question.signals, from: told(start), to: told(until) });
  }

  async load({ quietly = false } = {}) {
    const turn = ++this.asked;
    if (!this.question.signals.length) return this.empty();
    this.problem.hidden = true;
    if (!quietly) this.status.textContent = this.say.loading;
    place.setAttribute("aria-busy", "true");
    const answer = await ask(`${this.say.url}?${written(this.question)}`);
    if (turn !== this.asked) return; // something else was chosen meanwhile
    place.setAttribute("aria-busy", "false");
    this.status.textContent = "";
    if (answer?.charts) return this.render(answer);
    if (quietly) return;
    this.problem.querySelector("[data-problem]").textContent = answer?.error ?? this.say.failed;
    document.getElementById("history-retry").hidden = Boolean(answer?.error);
    this.problem.hidden = false;
    for (const each of place.querySelectorAll(".chart-placeholder")) each.remove();
  }

  empty() {
    this.status.textContent = this.say.noneChosen;
    for (const chart of this.charts.values()) chart.drawn?.destroy();
    this.charts.clear();
    place.replaceChildren();
    place.setAttribute("aria-busy", "false");
  }

  render(answer) {
    this.shown = answer;
    this.tellTime(answer);
    const before = this.charts;
    this.charts = new Map();
    const figures = answer.charts.map((chart) => {
      const key = codesOf(chart).join();
      const held = before.get(key) ?? this.figure(chart);
      before.delete(key);
      this.charts.set(key, { ...held, chart });
      return held.figure;
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
      remove.setAttribute("aria-label", this.say.remove.replace("{signal}", label));
      legend.append(entry);
    });
    const held = { figure };
    const details = figure.querySelector("details");
    details.addEventListener("toggle", () => this.table(figure, details));
    return held;
  }

  fill(held) {
    const { figure, chart } = held;
    held.drawn?.destroy();
    const empty = chart.kind === "lines" ? chart.lines.every((line) => !line.times.length) : !chart.segments.length;
    const canvas = figure.querySelector(".chart-canvas");
    figure.querySelector(".chart-empty").hidden = !empty;
    canvas.hidden = empty;
    figure.querySelector("figcaption").textContent = empty ? "" : chart.summary;
    const labels = chart.kind === "lines" ? chart.lines.map((line) => line.label).join(", ") : chart.label;
    canvas.setAttribute("aria-label", `${labels}. ${chart.summary}`);
    held.drawn = empty ? undefined : this.drawn(held, canvas);
    const details = figure.querySelector("details");
    details.hidden = empty;
    this.table(figure, details);
  }

  drawn({ figure, chart }, canvas) {
    const values = [...figure.querySelectorAll(".legend-value")];
    const { start, end } = this.shown;
    return this.draw(this.UPlot, canvas, chart, {
      start,
      end,
      zone: this.say.zone,
      language: this.language,
      onZoom: (from, to) => this.zoom(from, to),
      onReset: () => this.move("reset"),
      tell: (told) => told.forEach((words, index) => (values[index].textContent = words)),
    });
  }

  table(figure, details) {
    const held = [...this.charts.values()].find((each) => each.figure === figure);
    const room = details.querySelector(".table-scroll");
    if (!details.open || !held) return void room.replaceChildren();
    const { zone, time, from, until, state, rowsCut } = this.say;
    const words = { time, from, until, state, rowsCut };
    this.fillTable(room, held.chart, { ...this.shown, zone, language: this.language, words });
  }

  redraw() {
    for (const held of this.charts.values()) this.fill(held);
  }

  tellTime({ start, end }) {
    const format = new Intl.DateTimeFormat(this.language, {
      dateStyle: "medium", timeStyle: "short", hourCycle: "h23", timeZone: this.say.zone,
    });
    const written = format.formatRange(new Date(start * 1000), new Date(end * 1000));
    document.getElementById("history-time").textContent = `${written} (${this.say.zone})`;
    if (this.form.querySelector(".custom-range").open) return; // somebody types there
    document.getElementById("history-from").value = typed(start, this.say.zone);
    document.getElementById("history-to").value = typed(end, this.say.zone);
  }
}

const codesOf = (chart) => (chart.kind === "lines" ? chart.lines.map((line) => line.code) : [chart.code]);

// As a field of date and time takes it; Swedish writes a date so.
function typed(at, zone) {
  const format = { dateStyle: "short", timeStyle: "short", timeZone: zone };
  return new Intl.DateTimeFormat("sv-SE", format).format(new Date(at * 1000)).replace(" ", "T");
}

function read(query) {
  const asked = new URLSearchParams(query);
  const signals = asked.getAll("signals").flatMap((part) => part.split(",")).filter(Boolean);
  const [range, from, to] = ["range", "from", "to"].map((name) => asked.get(name) ?? "");
  return range || (!from && !to) ? { signals, range: range || "24h" } : { signals, from, to };
}

function written({ signals, range, from, to }) {
  const times = range ? { range } : Object.fromEntries(Object.entries({ from, to }).filter(([, value]) => value));
  return new URLSearchParams({ signals: signals.join(","), ...times }).toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
}

async function ask(address) {
  try {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    return response.ok || response.status === 400 ? await response.json() : null;
  } catch {
    return null;
  }
}
