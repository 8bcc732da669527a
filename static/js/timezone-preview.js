// Says what time it is in the zone that stands in a field, while it is being chosen.
const clock = document.getElementById("zone-clock");
const field = clock && document.getElementById(clock.dataset.input);

function tell() {
  try {
    const format = { timeZone: field.value.trim().replaceAll(" ", "_"), weekday: "long", hour: "numeric", minute: "2-digit" };
    const time = new Intl.DateTimeFormat(document.documentElement.lang, format).format(new Date());
    clock.textContent = clock.dataset.words.replace("%(time)s", time);
    clock.hidden = false;
  } catch {
    // Not a zone, or not one yet.
    clock.hidden = true;
  }
}

if (field) {
  field.addEventListener("input", tell);
  setInterval(tell, 10_000);
  tell();
}
