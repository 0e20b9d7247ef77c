// js_on_load of the submit page: the zip goes as one stream to our own REST route, never through Gradio's upload.
gsi.adopt(element);
const one = (selector) => element.querySelector(selector);
const form = one("#submit-form"), input = one("#archive"), drop = one("#drop"), button = one("#submit-button");
const errorBox = one("#submit-error"), uploading = one("#uploading"), bar = one("#upload-bar"), text = one("#upload-text");
const LARGEST = 1e9;
let created = null;

const page = one("[data-page=submit]");
const signedIn = () => page.dataset.signedIn === "yes";
const identity = (team) => {
  page.dataset.signedIn = team ? "yes" : "no";
  one("#whoami").hidden = !team;
  one("#team-field").hidden = Boolean(team);
  one("[data-team]").textContent = team;
};
one("[data-logout]")?.addEventListener("click", async () => {
  try { await gsi.logout(); } catch { /* it was over already */ }
  location.reload();
});

const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0) + " MB";
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
  if (file.size > LARGEST) wish(`The zip has ${megabytes(file.size)}; at most 1 GB is taken. Save the images as webp or jpg.`, input);
  return file;
};
const stay = (event) => event.preventDefault();
const send = (id, file) => new Promise((done, fail) => {
  const request = new XMLHttpRequest();
  request.open("PUT", `/api/v1/submissions/${encodeURIComponent(id)}/archive`);
  request.setRequestHeader("Content-Type", "application/zip");
  request.upload.addEventListener("progress", (event) => {
    const share = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
    bar.value = share;
    text.textContent = share < 100 ? `${megabytes(event.loaded)} of ${megabytes(event.total)} sent` : "Received; storing";
  });
  request.addEventListener("load", () => {
    if (request.status < 300) return done();
    let body = null;
    try { body = JSON.parse(request.responseText); } catch { /* not a problem document: the status says enough */ }
    fail(gsi.problem(request.status, body));
  });
  request.addEventListener("error", () => fail(gsi.problem(0, { title: "The upload broke off", remedy: "Press the button again to repeat it." })));
  request.send(file);
});
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
    // A second press after a broken upload repeats the upload of the same submission.
    const key = JSON.stringify(body);
    if (!created || created.key !== key) created = { key, id: (await gsi.api("POST", "/submissions", body)).id };
    uploading.hidden = false;
    text.textContent = "Starting";
    window.addEventListener("beforeunload", stay);
    await send(created.id, file).finally(() => window.removeEventListener("beforeunload", stay));
    location.assign("/submission?id=" + encodeURIComponent(created.id));
  } catch (error) {
    // The archive did arrive before, only its answer was lost.
    if (error.status === 409 && created) { location.assign("/submission?id=" + encodeURIComponent(created.id)); return; }
    if (error.status === 401) identity("");
    uploading.hidden = true;
    button.disabled = false;
    gsi.tell(errorBox, error);
  }
});
