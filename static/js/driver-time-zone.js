// Tells the server the browser's time zone, for pages of drivers, who have no account. `data-time-zone` is the one that
// the page uses. If it is another one, the page is loaded again, unless a message would be lost.
const page = document.querySelector("[data-time-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (page && zone && zone !== page.dataset.timeZone && !("chosen" in page.dataset)) {
  const cookie = `browser_time_zone=${zone}`;
  const known = document.cookie.split("; ").includes(cookie);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${cookie}; Path=/connect/; Max-Age=31536000; SameSite=Lax${secure}`;
  const stored = document.cookie.split("; ").includes(cookie);
  // A zone that the server doesn't know would be sent again and again.
  if (stored && !known && !document.querySelector(".alert")) location.reload();
}
