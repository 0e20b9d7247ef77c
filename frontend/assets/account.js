// js_on_load of the account: every button and form says in data-send what it asks of the API; then the page is shown anew.
gsi.adopt(element);
gsi.signIn(element);
const one = (selector) => element.querySelector(selector);
const KEPT = "gsi-invitation";

// What is told once: never in an address, a log or a cookie.
const ONCE = {
  token: (made) => ["Your token. Copy it now: it is not shown again.", made.token, "gsi login --token … keeps it for the command line."],
  webhook: (made) => ["The webhook's secret. Copy it now: it is not shown again.", made.secret, "It proves who sent a notice; any library of Standard Webhooks takes it."],
  invitation: (made) => ["The invitation. Pass it on now: it is not shown again.", made.link, `Or the code alone: ${made.code}`],
};
const refresh = async () => {
  const page = await server.live_page(location.search);
  if (page.forget) { location.reload(); return new Promise(() => {}); }
  props.value = page.html;
  return new Promise((done) => setTimeout(done, 30));
};
const show = (kind, made) => {
  const [title, value, hint] = ONCE[kind](made);
  one("#once-title").textContent = title;
  one("#once-value").textContent = value;
  one("#once-hint").textContent = hint;
  one("#once").hidden = false;
  one("#once").scrollIntoView({ block: "center" });
  one("[data-copy]").focus({ preventScroll: true });
};
const send = async (what, body, { once } = {}) => {
  const [method, path] = what.split(" ");
  one("#act-error").hidden = true;
  try {
    const made = await gsi.api(method, path, body);
    await refresh();
    if (once) show(once, made);
    return true;
  } catch (error) {
    gsi.tell(one("#act-error"), error);
    one("#act-error").scrollIntoView({ block: "center" });
    return false;
  }
};
const asked = (form) => {
  const body = {};
  for (const [name, value] of new FormData(form)) {
    if (name === "scopes") (body.scopes ||= []).push(value);
    else if (name === "days") { if (value) body.days = Number(value); }
    else body[name] = value.trim();
  }
  return body;
};
element.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.send) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  await send(form.dataset.send, asked(form), { once: form.dataset.once });
  button.disabled = false;
});
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button || (button.dataset.sure && !confirm(button.dataset.sure))) return;
  if (button.dataset.send) {
    button.disabled = true;
    const done = await send(button.dataset.send, button.dataset.body && JSON.parse(button.dataset.body));
    if (!done) button.disabled = false;
  } else if ("logout" in button.dataset) {
    try { await gsi.logout(button.dataset.logout === "everywhere"); } catch { /* it was over already */ }
    location.assign("/account");
  } else if ("copy" in button.dataset) {
    await navigator.clipboard.writeText(one("#once-value").textContent).then(
      () => { button.textContent = "Copied"; },
      () => { getSelection().selectAllChildren(one("#once-value")); },
    );
  } else if ("accept" in button.dataset) {
    const code = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    await send("POST /invitations/accept", { code });
  } else if ("decline" in button.dataset) {
    sessionStorage.removeItem(KEPT);
    one("#invitation").hidden = true;
  }
});

// An invitation's link ends in #invitation=CODE. It is kept for this tab, over a sign-in at a provider and back.
const invited = async () => {
  const found = /^#invitation=([\w-]{8,100})$/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(KEPT, found[1]);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const code = sessionStorage.getItem(KEPT);
  if (!code) return;
  if (one("[data-page=account]").dataset.signedIn !== "yes") { one("#invited").hidden = false; return; }
  try {
    const offer = await gsi.api("POST", "/invitations/preview", { code });
    one("#invitation-text").textContent = `${offer.invited_by} invites you to join the team ${offer.team_name} as ${offer.role}.`;
    one("#invitation").hidden = false;
  } catch (error) {
    sessionStorage.removeItem(KEPT);
    gsi.tell(one("#act-error"), error);
  }
};
invited();
window.addEventListener("hashchange", invited);
