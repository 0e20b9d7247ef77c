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

  // A problem document (RFC 9457) as one Error with the parts a reader needs.
  const problem = (status, body) => Object.assign(new Error(body?.title || `The service answered ${status}`), {
    status, code: body?.code || "", detail: body?.detail || "", remedy: body?.remedy || "",
  });
  const api = async (method, path, body, key) => {
    // The session goes along as a cookie that no script can read; the service takes it from our own pages only.
    const headers = { Accept: "application/json" };
    if (key) headers["Idempotency-Key"] = key;
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
    api, problem,
    login: (team) => api("POST", "/development/sign-in", { team }),
    logout(everywhere = false) {
      try { localStorage.removeItem("gsi-upload"); } catch { /* private mode: nothing is kept */ }  // whoever comes next
      return api("POST", "/sign-out" + (everywhere ? "?everywhere=true" : ""));
    },
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
    // The buttons of the providers and the form of the development login (templates/sign_in.html).
    signIn(element) {
      const next = () => element.querySelector("[data-next]")?.dataset.next || "/account";
      const told = (error) => gsi.tell(element.querySelector("#login-error"), error);
      element.addEventListener("click", async (event) => {
        const button = event.target.closest("[data-provider]");
        if (!button) return;
        button.disabled = true;
        try {
          const begun = await api("POST", "/sign-in/" + encodeURIComponent(button.dataset.provider), { return_to: next() });
          location.assign(begun.location);
        } catch (error) { told(error); button.disabled = false; }
      });
      element.addEventListener("submit", async (event) => {
        if (event.target.id !== "login-form") return;
        event.preventDefault();
        const team = element.querySelector("#team").value.trim();
        try {
          if (!team) throw Object.assign(new Error("Give your team's name."), { detail: "", remedy: "" });
          await gsi.login(team);
          if (location.pathname === next()) location.reload(); else location.assign(next());
        } catch (error) { told(error); }
      });
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
