// Passkeys. A button with data-passkey requests one from the browser and submits the response with the button's form:
//   data-passkey="use" authenticates with a passkey, "create" creates one;
//   data-options is the source of the server's options: "#id" of a JSON script, or a URL.
// If the browser doesn't support passkeys, <html> has no data-passkeys, and the style sheet hides everything about them.
const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
const supported = window.isSecureContext && !isAddress && "parseCreationOptionsFromJSON" in (window.PublicKeyCredential ?? {});
if (supported) document.documentElement.dataset.passkeys = "";

async function fetchOptions(button) {
  const where = button.dataset.options;
  if (where.startsWith("#")) return JSON.parse(document.querySelector(where).textContent).publicKey;
  const answer = await fetch(where, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return (await answer.json()).request_options.publicKey;
}

async function requestCredential(button) {
  const options = await fetchOptions(button);
  if (button.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function send(button) {
  const form = button.form;
  const passwords = [...form.querySelectorAll("input[type=password]")];
  const problem = form.querySelector(".passkey-problem");
  problem.hidden = true;
  // A passkey replaces the password; all other fields are still required.
  for (const field of passwords) field.disabled = true;
  button.disabled = true;
  try {
    if (!form.reportValidity()) return;
    form.elements.credential.value = JSON.stringify((await requestCredential(button)).toJSON());
    form.requestSubmit();
  } catch (error) {
    problem.textContent = error.name === "NotAllowedError" ? button.dataset.cancelled : button.dataset.failed;
    problem.hidden = false;
  } finally {
    // After the form data was read, which excludes the password.
    setTimeout(() => {
      for (const field of passwords) field.disabled = false;
      button.disabled = false;
    });
  }
}

// Pressing Enter in the name field of a new passkey works like the button.
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector('[data-passkey="create"]');
  if (!button || event.target.elements.credential.value) return;
  event.preventDefault();
  send(button);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey]");
  if (button) send(button);
});
