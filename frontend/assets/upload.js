// The archive on its way: in parts, each hashed here and sent to the URL that the service signed for it. Nothing is ever
// whole in memory; what has arrived is not sent again, after a broken connection or after the page was loaded anew.
gsi.uploader = (() => {
  const AT_ONCE = 2, TRIES = 8, KEPT = "gsi-upload";
  const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const key = () => hex(crypto.getRandomValues(new Uint8Array(16)));
  const identity = (file) => ({ name: file.name, size: file.size, changed: file.lastModified });

  const recall = () => { try { return JSON.parse(localStorage.getItem(KEPT)); } catch { return null; } };
  const remember = (memory) => { try { localStorage.setItem(KEPT, JSON.stringify(memory)); } catch { /* private mode: no resuming after a reload */ } };
  const forget = () => { try { localStorage.removeItem(KEPT); } catch { /* as above */ } };
  const unlessLost = async (asked) => {
    try { return await asked; } catch (error) { if (error.status !== 404) throw error; return null; }
  };

  // The submission of an interrupted upload of this very file, else a new one.
  const announced = async (file, body) => {
    let memory = recall();
    const same = memory && JSON.stringify([memory.file, memory.body]) === JSON.stringify([identity(file), body]);
    if (same && memory.submission) {
      const found = await unlessLost(gsi.api("GET", "/submissions/" + encodeURIComponent(memory.submission)));
      if (found && found.state !== "withdrawn") return [memory, found];
    }
    if (!same || memory.submission) memory = { file: identity(file), body, key: key() };
    remember(memory);
    const made = await gsi.api("POST", "/submissions", body, memory.key);
    memory.submission = made.id;
    remember(memory);
    return [memory, await gsi.api("GET", "/submissions/" + encodeURIComponent(made.id))];
  };

  const opened = async (here, file) => {
    const { uploads } = await gsi.api("GET", here);
    for (const known of uploads) {
      if (known.state !== "open") continue;
      const whole = `${here}/${encodeURIComponent(known.id)}`;
      const found = known.bytes === file.size ? await unlessLost(gsi.api("GET", whole)) : null;
      if (found) return found;
      await unlessLost(gsi.api("DELETE", whole));
    }
    return gsi.api("POST", here, { bytes: file.size }, key());
  };

  // XMLHttpRequest, because fetch tells nothing of how much has been sent. The blob is read from disk as it goes.
  const put = (signed, blob, moved) => new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    let counted = 0;
    const count = (loaded) => { moved(loaded - counted); counted = loaded; };
    const lost = (error) => { count(0); fail(error); };
    request.open("PUT", new URL(signed.url, location.origin));
    for (const [name, value] of Object.entries(signed.headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => count(event.loaded));
    request.addEventListener("load", () => {
      if (request.status < 300) { count(blob.size); return done(); }
      let told = null;
      try { told = JSON.parse(request.responseText); } catch { /* a storage's own words: the status says enough */ }
      lost(Object.assign(gsi.problem(request.status, told), { again: Number(request.getResponseHeader("Retry-After")) || 0 }));
    });
    request.addEventListener("error", () => lost(gsi.problem(0, { title: "The upload broke off", remedy: "Press the button again: it goes on where it was." })));
    request.send(blob);
  });
  const PASSING = new Set([0, 408, 429, 500, 502, 503, 504]);
  const CODES = new Set(["incomplete-upload", "checksum-mismatch", "url-expired", "upload-busy"]);
  const passing = (error) => PASSING.has(error.status) || CODES.has(error.code) || ([400, 403].includes(error.status) && !error.code);

  const bring = async (here, file, upload, number, tell) => {
    const start = (number - 1) * upload.part_bytes;
    const blob = file.slice(start, Math.min(start + upload.part_bytes, file.size));
    const sha256 = hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    const known = upload.parts.find((part) => part.number === number);
    if (known && known.bytes === blob.size && known.sha256 === sha256) return tell.there(blob.size);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { parts } = await gsi.api("POST", `${here}/parts`, { parts: [{ number, bytes: blob.size, sha256 }] });
        return await put(parts[0], blob, tell.moved);
      } catch (error) {
        if (attempt === TRIES || !passing(error)) throw error;
        await wait(Math.max(Math.min(30, 0.5 * 2 ** attempt) * (0.5 + Math.random() / 2), error.again || 0));
      }
    }
  };

  const inParts = async (here, file, tell) => {
    const upload = await opened(here, file);
    const whole = `${here}/${encodeURIComponent(upload.id)}`;
    const parts = Math.ceil(file.size / upload.part_bytes);
    let next = 1, failed = null;
    const worker = async () => {
      while (next <= parts && !failed) {
        const number = next;
        next += 1;
        try { await bring(whole, file, upload, number, tell); } catch (error) { failed ||= error; }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (failed?.code === "part-differs") await unlessLost(gsi.api("DELETE", whole));
    if (failed) throw failed;
    tell.storing();
    await gsi.api("POST", `${whole}/complete`, { parts, bytes: file.size });
  };

  // Where a page may not hash (plain http from another machine), the zip goes as one stream and begins anew when it breaks.
  const atOnce = (id, file, tell) => put(
    { url: `/api/v1/submissions/${id}/archive`, headers: { "Content-Type": "application/zip" } },
    file, tell.moved,
  );

  return {
    recall, forget,
    // The id of the submission that has the file now. `tell` hears of bytes that were there, that moved, and of the end.
    async deliver(file, body, tell) {
      const [memory, found] = await announced(file, body);
      const id = encodeURIComponent(memory.submission);
      if (found.state === "created") {
        await (crypto.subtle ? inParts(`/submissions/${id}/uploads`, file, tell) : atOnce(id, file, tell));
      }
      forget();
      return memory.submission;
    },
    async discard() {
      const memory = recall();
      forget();
      if (memory?.submission) await gsi.api("POST", `/submissions/${encodeURIComponent(memory.submission)}/withdraw`).catch(() => null);
    },
  };
})();
