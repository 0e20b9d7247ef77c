// js_on_load of the list of submissions: sign in and out.
gsi.adopt(element);
gsi.signIn(element);
element.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-logout]")) return;
  try { await gsi.logout(); } catch { /* it was over already */ }
  location.reload();
});
