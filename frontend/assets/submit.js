// js_on_load of the submit page: the zip goes in parts by our own REST routes (upload.js), never through Gradio's upload.
gsi.adopt(element);
const one = (selector) => element.querySelector(selector);
const form = one("#submit-form"), input = one("#archive"), drop = one("#drop"), button = one("#submit-button");
const errorBox = one("#submit-error"), uploading = one("#uploading"), bar = one("#upload-bar"), text = one("#upload-text");

const page = one("[data-page=submit]");
const signedIn = () => page.dataset.signedIn === "yes";
const identity = (team) => {
  page.dataset.signedIn = team ? "yes" : "no";
  one("#whoami").hidden = !team;
  one("#team-field").hidden = Boolean(team) || page.dataset.development !== "yes";
  one("[data-team]").textContent = team;
};
one("[data-logout]")?.addEventListener("click", async () => {
  try { await gsi.logout(); } catch { /* it was over already */ }
  location.reload();
});
// What the team may still submit; a service or a login that cannot tell leaves the line away.
const quota = async () => {
  const field = one("#quota-field");
  try {
    if (!signedIn() || !form.elements.benchmark.value) throw new Error("nobody to ask for");
    const left = await gsi.api("GET", `/benchmarks/${encodeURIComponent(form.elements.benchmark.value)}/quota`);
    const words = [["per_day", "today"], ["total", "in all"], ["at_once", "at once"]]
      .filter(([kind]) => left[kind].limit !== null)
      .map(([kind, word]) => `${left[kind].remaining} of ${left[kind].limit} ${word}`);
    one("#quota").textContent = words.length ? `${words.join(", ")}; the day begins anew at 00:00 UTC` : "No limit";
    field.hidden = false;
  } catch { field.hidden = true; }
};
quota();
form.elements.benchmark.addEventListener("change", quota);

const megabytes = (bytes) => {
  if (bytes < 1e6) return Math.ceil(bytes / 1e3) + " kB";
  return bytes < 1e9 ? (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0) + " MB" : (bytes / 1e9).toFixed(2) + " GB";
};
const named = () => {
  const file = input.files[0];
  one("[data-file]").textContent = file ? `${file.name} (${megabytes(file.size)})` : "Drop a zip here, or choose one";
};
input.addEventListener("change", named);
for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));

const wish = (message, field) => { field?.focus(); throw Object.assign(new Error(message), { detail: "", remedy: "" }); };
const checked = () => {
  const file = input.files[0];
  if (!signedIn() && one("#team-field").hidden) wish("Sign in and act for a team first.");
  if (!signedIn() && !one("#team").value.trim()) wish("Give your team's name.", one("#team"));
  if (!one("#model").value.trim()) wish("Give the model a name.", one("#model"));
  if (!file) wish("Choose the zip with your edited images.", input);
  if (!/\.zip$/i.test(file.name)) wish("This is not a zip. Put the images into one .zip file.", input);
  if (!file.size) wish("This file is empty. Zip the images anew.", input);
  return file;
};
const stay = (event) => event.preventDefault();

// How far it is: bytes at the service, and the rate of those that moved from here since the button was pressed.
const progress = (file) => {
  const begun = performance.now();
  let there = 0, moved = 0;
  const show = () => {
    const seconds = (performance.now() - begun) / 1000, rate = moved / seconds, left = file.size - there - moved;
    bar.value = (100 * (there + moved)) / file.size;
    const soon = rate > 0 && seconds > 2 ? `, ${megabytes(rate)} a second, ${left / rate < 90 ? "about a minute" : Math.ceil(left / rate / 60) + " minutes"} left` : "";
    text.textContent = `${megabytes(there + moved)} of ${megabytes(file.size)} sent${left > 0 ? soon : ""}`;
  };
  return {
    there(bytes) { there += bytes; show(); },
    moved(bytes) { moved += bytes; show(); },
    storing() { bar.value = 100; text.textContent = "Received; putting it together"; },
  };
};

const interrupted = one("#interrupted");
const pending = gsi.uploader.recall();
if (pending?.submission && signedIn()) {
  one("[data-interrupted]").textContent = `${pending.file.name} (${megabytes(pending.file.size)})`;
  for (const [name, value] of Object.entries(pending.body)) if (form.elements[name]) form.elements[name].value = value;
  interrupted.hidden = false;
}
one("[data-discard]").addEventListener("click", () => { interrupted.hidden = true; gsi.uploader.discard(); input.focus(); });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  errorBox.hidden = true;
  try {
    const file = checked();
    button.disabled = true;
    if (!signedIn()) { await gsi.login(one("#team").value.trim()); identity(one("#team").value.trim()); }
    const body = {};
    for (const name of ["benchmark", "model", "organization", "url", "description"]) {
      const value = form.elements[name].value.trim();
      if (value) body[name] = value;
    }
    uploading.hidden = false;
    interrupted.hidden = true;
    text.textContent = "Starting";
    window.addEventListener("beforeunload", stay);
    const id = await gsi.uploader.deliver(file, body, progress(file)).finally(() => window.removeEventListener("beforeunload", stay));
    location.assign("/submission?id=" + encodeURIComponent(id));
  } catch (error) {
    if (error.status === 401) identity("");
    uploading.hidden = true;
    button.disabled = false;
    gsi.tell(errorBox, error);
  }
});
