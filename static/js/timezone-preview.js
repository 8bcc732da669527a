// Shows the current time in the time zone of a field while it is being edited.
const clock = document.getElementById("zone-clock");
const field = clock && document.getElementById(clock.dataset.input);

function update() {
  try {
    const format = { timeZone: field.value.trim().replaceAll(" ", "_"), weekday: "long", hour: "numeric", minute: "2-digit" };
    const time = new Intl.DateTimeFormat(document.documentElement.lang, format).format(new Date());
    clock.textContent = clock.dataset.words.replace("%(time)s", time);
    clock.hidden = false;
  } catch {
    // Not a valid time zone (yet).
    clock.hidden = true;
  }
}

if (field) {
  field.addEventListener("input", update);
  setInterval(update, 10_000);
  update();
}
