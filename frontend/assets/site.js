// Loaded inside <head>, before anything is painted.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const asked = new URLSearchParams(location.search).get("__theme");
  const stored = () => { try { return localStorage.getItem("gsi-theme"); } catch { return null; } };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => (asked === "dark" || asked === "light" ? asked : stored()) || (dark.matches ? "dark" : "light");
  const paint = (name) => { root.dataset.theme = name; document.body?.classList.toggle("dark", name === "dark"); };
  paint(theme());
  dark.addEventListener("change", () => paint(theme()));

  const cookie = (name) => {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    try { return found ? decodeURIComponent(found.slice(name.length + 1)) : ""; } catch { return ""; }
  };
  // The alphabet of RFC 6750; anything else could not be sent and counts as logged out.
  const token = () => (/^[\w.~+/-]+=*$/.test(cookie("gsi_token")) ? cookie("gsi_token") : "");
  const remember = (name, value) => {
    const age = value ? 60 * 60 * 24 * 30 : 0;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
  };

  // A problem document (RFC 9457) as one Error with the parts a reader needs.
  const problem = (status, body) => Object.assign(new Error(body?.title || `The service answered ${status}`), {
    status, code: body?.code || "", detail: body?.detail || "", remedy: body?.remedy || "",
  });
  const api = async (method, path, body, key) => {
    const headers = { Accept: "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    if (token()) headers.Authorization = "Bearer " + token();
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch("/api/v1" + path, { method, headers, body: body ? JSON.stringify(body) : undefined });
    } catch {
      throw problem(0, { title: "The service cannot be reached", remedy: "Check your connection and try again." });
    }
    const found = await answer.json().catch(() => null);
    if (!answer.ok) throw problem(answer.status, found);
    return found;
  };

  window.gsi = {
    api, problem, token,
    team: () => cookie("gsi_team"),
    async login(team) {
      const answer = await api("POST", "/development/login", { team });
      remember("gsi_token", answer.token);
      remember("gsi_team", answer.team ? answer.team.name : team);
    },
    logout() { remember("gsi_token", ""); remember("gsi_team", ""); },
    // Move the page as the server painted it into Gradio's component: same nodes, so nothing shifts or flashes.
    adopt(element) {
      const seed = document.getElementById("first-paint");
      if (!seed) return;
      const focused = document.activeElement;
      element.replaceChildren(...seed.childNodes);
      seed.remove();
      root.classList.add("adopted");
      if (focused && element.contains(focused)) focused.focus({ preventScroll: true });
    },
    tell(box, error) {
      const strong = document.createElement("strong");
      strong.textContent = error.message;
      const parts = [strong];
      for (const text of [error.detail, error.remedy]) {
        if (text && text !== error.message) { const line = document.createElement("p"); line.textContent = text; parts.push(line); }
      }
      box.replaceChildren(...parts);
      box.hidden = false;
    },
  };

  document.addEventListener("DOMContentLoaded", () => {
    paint(theme());
    // Gradio sets its own class from the system's preference; the reader's choice wins.
    new MutationObserver(() => {
      const wanted = root.dataset.theme === "dark";
      if (document.body.classList.contains("dark") !== wanted) document.body.classList.toggle("dark", wanted);
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    document.querySelector(".theme-switch")?.addEventListener("click", () => {
      const name = root.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("gsi-theme", name); } catch { /* private mode: the choice lasts for this page */ }
      paint(name);
    });
  });
})();
