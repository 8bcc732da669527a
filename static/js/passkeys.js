// Passkeys. A button with data-passkey asks the browser for one and sends its answer with the button's form:
//   data-passkey="use" proves who it is, "create" makes a new one;
//   data-options names where the server's options stand: "#id" of a JSON script, or an address to ask.
// Where browsers allow none, <html> stays without data-passkeys, and the style sheet hides what needs one.
const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
const offered = window.isSecureContext && !isAddress && "parseCreationOptionsFromJSON" in (window.PublicKeyCredential ?? {});
if (offered) document.documentElement.dataset.passkeys = "";

async function optionsOf(button) {
  const where = button.dataset.options;
  if (where.startsWith("#")) return JSON.parse(document.querySelector(where).textContent).publicKey;
  const answer = await fetch(where, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return (await answer.json()).request_options.publicKey;
}

async function ask(button) {
  const options = await optionsOf(button);
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
  // A passkey stands for the password; whatever else the form asks for is still needed.
  for (const field of passwords) field.disabled = true;
  button.disabled = true;
  try {
    if (!form.reportValidity()) return;
    form.elements.credential.value = JSON.stringify((await ask(button)).toJSON());
    form.requestSubmit();
  } catch (error) {
    problem.textContent = error.name === "NotAllowedError" ? button.dataset.cancelled : button.dataset.failed;
    problem.hidden = false;
  } finally {
    // After the form was read: it is sent without the password.
    setTimeout(() => {
      for (const field of passwords) field.disabled = false;
      button.disabled = false;
    });
  }
}

// Enter in the name of a new passkey is as good as its button.
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
