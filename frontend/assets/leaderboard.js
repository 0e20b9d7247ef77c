// js_on_load of the leaderboard: links and the filter form work without this; with it the table changes in place.
gsi.adopt(element);
let latest = 0;
const settle = () => {
  for (const box of element.querySelectorAll("select")) {
    const chosen = [...box.options].find((option) => option.hasAttribute("selected"));
    box.value = chosen ? chosen.value : "";
  }
  const search = element.querySelector("#filter-search");
  if (search && search !== document.activeElement) search.value = search.getAttribute("value") || "";
};
const show = async (address, { keep } = {}) => {
  const mine = ++latest;
  const url = new URL(address, location.origin);
  try {
    const page = await server.live_page(url.search);
    if (mine !== latest) return;
    if (keep !== "none") history[keep === "replace" ? "replaceState" : "pushState"](null, "", url);
    document.title = page.title;
    props.value = page.html;
    queueMicrotask(settle);
  } catch {
    location.assign(url);
  }
};
const asked = (form) => {
  const wish = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) wish.set(name, value.trim());
  const text = wish.toString();
  return text ? "/?" + text : "/";
};
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-live]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link.href);
});
let typing;
element.addEventListener("input", (event) => {
  if (event.target.id !== "filter-search") return;
  ++latest; // a page that was asked for before this letter would take the letter back
  clearTimeout(typing);
  typing = setTimeout(() => show(asked(event.target.form), { keep: "replace" }), 180);
});
element.addEventListener("change", (event) => {
  if (event.target.tagName === "SELECT") show(asked(event.target.form));
});
element.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-live]")) return;
  event.preventDefault();
  show(asked(event.target));
});
window.addEventListener("popstate", () => show(location.href, { keep: "none" }));
