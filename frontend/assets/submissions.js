// js_on_load of the list of submissions: log in and out.
gsi.adopt(element);
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-logout]")) { gsi.logout(); location.reload(); }
});
element.addEventListener("submit", async (event) => {
  event.preventDefault();
  const team = element.querySelector("#team").value.trim();
  const box = element.querySelector("#login-error");
  try {
    if (!team) throw Object.assign(new Error("Give your team's name."), { detail: "", remedy: "" });
    await gsi.login(team);
    location.reload();
  } catch (error) { gsi.tell(box, error); }
});
