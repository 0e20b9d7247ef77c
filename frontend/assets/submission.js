// js_on_load of a submission: follow it while it moves, publish, unpublish, withdraw.
gsi.adopt(element);
const settled = () => element.querySelector("[data-page=submission]")?.dataset.settled !== "no";
const refresh = async () => {
  const page = await server.live_page(location.search);
  if (page.forget) return location.reload(); // the server drops what it no longer knows
  document.title = page.title;
  const opened = element.querySelector("details")?.open;
  props.value = page.html;
  if (opened) queueMicrotask(() => { element.querySelector("details").open = true; });
};
let pause = 1500;
const follow = async () => {
  if (settled()) return;
  if (!document.hidden) {
    try { await refresh(); pause = 1500; } catch { pause = Math.min(15000, pause * 2); }
  }
  setTimeout(follow, pause);
};
setTimeout(follow, 1000);
element.addEventListener("submit", async (event) => {
  if (event.target.id !== "embargo") return;
  event.preventDefault();
  const id = element.querySelector("[data-id]").dataset.id, day = event.target.elements.day.value;
  try {
    await gsi.api("POST", `/submissions/${encodeURIComponent(id)}/publish`, { embargo_until: day + "T00:00:00Z" });
    await refresh();
  } catch (error) {
    gsi.tell(element.querySelector("#act-error"), error);
  }
});
element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || (button.dataset.sure && !confirm(button.dataset.sure))) return;
  const id = element.querySelector("[data-id]").dataset.id;
  button.disabled = true;
  try {
    await gsi.api("POST", `/submissions/${encodeURIComponent(id)}/${button.dataset.act}`);
    await refresh();
  } catch (error) {
    gsi.tell(element.querySelector("#act-error"), error);
  }
  button.disabled = false;
});
