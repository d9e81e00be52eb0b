// The live page: draws /live/now, then follows /live/stream. Nothing here decides anything.
"use strict";
(() => {
  const said = document.body.dataset;
  const eyes = said.positions.split(",").map(Number);
  const speed = Number(said.speed), end = Number(said.end), left = Number(said.left), right = Number(said.right);
  const SVG = "http://www.w3.org/2000/svg", STALE_MS = 6000, AGAIN_MS = 5000, GONE_MS = 700;
  const parcels = new Map();
  const layer = document.getElementById("parcels");
  const RUN = 1, ROW_IS_NEWER_MS = 1500;
  let seq = 0, heard = performance.now(), skew = Infinity, source = null, down = false;
  // Whether the belt runs (null: nobody knows), since when a row says so, and for how long it has run here.
  let runs = null, told = -Infinity, ran = 0, ticked = performance.now();

  const byId = (id) => document.getElementById(id);
  const make = (name, text, cls) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const svg = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const x = (mm) => left + (mm * (right - left)) / end;
  // The line's clock as this page hears of it: the shortest way that news has taken so far.
  const age = (at) => (at === null || skew === Infinity ? 0 : Math.max(0, Date.now() - Date.parse(at) - skew));
  // Parcels are drawn on in the belt's own time: it stands while the belt does, and while no news come.
  const stale = () => down || performance.now() - heard > STALE_MS;
  const belt = () => {
    const now = performance.now();
    if (runs && !stale()) ran += now - ticked;
    ticked = now;
    return ran;
  };
  function running(whether) {
    belt();
    runs = whether;
    byId("belt").textContent = runs ? "" : " · " + (runs === false ? said.tBeltStands : said.tBeltUnknown);
  }
  const clock = (at) => { if (at !== null) skew = Math.min(skew, Date.now() - Date.parse(at)); };

  // --- parcels ---------------------------------------------------------------------------------
  function parcel(track, length) {
    let one = parcels.get(track);
    if (one === undefined) {
      const node = svg("g", {class: "parcel", "data-track": track});
      const width = Math.max(7, x(length || 300) - x(0));
      node.append(svg("rect", {x: -width, y: 116, width, height: 18, rx: 2}), svg("text", {x: -width / 2, y: 131}), svg("title", {}));
      node.addEventListener("click", () => { location.href = "/parcel/" + track; });
      layer.append(node);
      one = {node, eye: 0, at: belt(), reason: null, leaving: 0};
      parcels.set(track, one);
    }
    return one;
  }
  function seen(track, length, eye, at, row) {
    const one = parcel(track, length);
    if (one.leaving || eye < one.eye) return;
    one.seq = row;
    one.eye = eye;
    one.at = belt() - (runs ? age(at) : 0);
  }
  function decided(track, reason, chute) {
    const one = parcels.get(track);
    if (one === undefined || !reason) return;
    one.node.classList.toggle("odd", reason !== "ok");
    one.node.querySelector("text").textContent = reason === "ok" ? "" : "!";
    one.node.querySelector("title").textContent = track + " " + reason + " → " + chute;
  }
  function left_at(track, chute) {
    const one = parcels.get(track);
    if (one === undefined) return;
    const box = document.querySelector('[data-chute="' + CSS.escape(chute) + '"]');
    one.leaving = performance.now();
    one.to = box === null ? null : [Number(box.dataset.x), Number(box.dataset.y)];
  }
  function draw() {
    const now = performance.now(), at = belt(), old = stale();
    for (const [track, one] of parcels) {
      if (one.leaving) {
        const part = Math.min(1, (now - one.leaving) / GONE_MS);
        if (part === 1) { one.node.remove(); parcels.delete(track); continue; }
        const from = one.x || 0, to = one.to || [from, 125];
        one.node.setAttribute("transform", "translate(" + (from + (to[0] - from) * part) + " " + (to[1] - 125) * part + ")");
        one.node.setAttribute("opacity", 1 - part / 2);
        continue;
      }
      const last = eyes[Math.max(0, one.eye - 1)], next = eyes[one.eye] === undefined ? end : eyes[one.eye];
      one.x = x(Math.min(next, last + (speed * (at - one.at)) / 1000));
      one.node.setAttribute("transform", "translate(" + one.x + " 0)");
    }
    document.body.classList.toggle("stale", old);
    byId("stale").hidden = !old;
    byId("stale").textContent = down ? said.tLineSilent : said.tStale;
    requestAnimationFrame(draw);
  }

  // --- what stands -----------------------------------------------------------------------------
  function list(id, items, none, render) {
    const nodes = items.map(render);
    byId(id).replaceChildren(...(nodes.length ? nodes : [make("li", none, "none")]));
  }
  function alarm(one) {
    const node = make("li", undefined, one.acknowledged_by ? "seen" : "");
    node.append(make("b", one.text + (one.about ? " · " + one.about : "")), make("small", one.detail));
    if (one.acknowledged_by) {
      node.append(make("small", said.tAcknowledged.replace("{by}", one.acknowledged_by)));
    } else {
      const button = make("button", said.tAcknowledge);
      button.addEventListener("click", () => acknowledge(button, one.kind + (one.subject ? ":" + one.subject : "")));
      node.append(button);
    }
    return node;
  }
  function reject(one) {
    const node = make("li");
    const link = make("a", one.waybill || "#" + one.track);
    link.href = "/parcel/" + one.track;
    node.append(link, make("b", " " + one.text), make("small", (one.chute ? one.chute + " · " : "") + one.action));
    return node;
  }
  function device(one) {
    const word = one.up === null ? said.tUnknown : one.up ? said.tUp : said.tDown;
    const node = make("li");
    node.append(make("b", one.device + " "), make("span", word, one.up ? "" : "bad"));
    const older = one.heard_age_ms === null ? said.tNotHeard : said.tHeard.replace("{s}", (one.heard_age_ms / 1000).toFixed(1));
    node.append(make("small", one.up === null ? "" : older + (one.up || !one.why ? "" : " · " + one.why)));
    const label = document.querySelector('[data-device="' + CSS.escape(one.device) + '"]');
    if (label !== null) label.classList.toggle("down", one.up !== true);
    return node;
  }
  function chute(one, counts) {
    const box = document.querySelector('[data-chute="' + CSS.escape(one.chute) + '"]');
    if (box === null) return;
    box.classList.toggle("full", one.full);
    box.classList.toggle("off", !one.enabled);
    box.querySelector(".flag").textContent = !one.enabled ? said.tDisabled : one.full ? said.tFull : "";
    box.querySelector(".count").textContent = counts[one.chute] || 0;
  }
  function show(now) {
    belt();
    heard = performance.now();
    down = now.process === "down";
    // What it said of itself may be half a second old.
    if (heard - told > ROW_IS_NEWER_MS) running(now.belt_runs);
    const state = byId("state-text");
    state.textContent = down ? said.tProcessDown : now.state_text;
    state.className = down ? "bad" : now.state === "execute" ? "" : "not";
    byId("induction").textContent = down ? "" : now.permitted ? said.tInductionOn : said.tInductionOff;
    byId("induction").className = now.permitted ? "" : "not";
    byId("why").textContent = down || now.state === "execute" ? "" : now.why;
    byId("on-belt").textContent = said.tOnBelt + ": " + now.on_belt;
    byId("exits-title").textContent = said.tExits.replace("{n}", now.counted);
    list("alarms", now.alarms, said.tNoAlarms, alarm);
    list("rejects", now.rejects, said.tNoRejects, reject);
    list("devices", now.devices, "", device);
    for (const one of now.chutes) chute(one, now.by_chute);
    // Whatever was drawn from a row of before and is on the belt no more; its own end may still be on its way.
    const here = new Set(now.parcels.map((one) => one.track));
    if (now.seq <= seq) for (const [track, one] of parcels) if (!here.has(track) && !one.leaving && one.seq <= now.seq) left_at(track, "");
    byId("reasons").replaceChildren(...now.by_reason.map((one) => {
      const row = make("tr");
      row.append(make("td", one.text), make("td", one.parcels, "n"));
      return row;
    }));
  }
  async function acknowledge(button, subject) {
    button.disabled = true;
    const id = "page-" + Date.now() + "-" + Math.floor(Math.random() * 1e6);
    const answer = await fetch("/live/acknowledge", {
      method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({message_id: id, subject}),
    });
    if (answer.ok) { setTimeout(look, 300); return; }
    button.disabled = false;
    button.textContent = answer.status === 403 ? "403" : said.tAcknowledge;
  }

  // --- following -------------------------------------------------------------------------------
  const STANDING = new Set(["LineStateChanged", "InductionSwitched", "AlarmRaised", "AlarmCleared", "AlarmAcknowledged", "ChuteSwitched"]);
  let soon = 0;
  function belted(whether) {
    told = performance.now();
    running(whether);
  }
  function take(row) {
    belt();
    heard = performance.now();
    seq = row.seq;
    clock(row.at);
    const body = row.body;
    if (row.kind === "TrackOpened") seen(row.track, body.length_mm, body.eye || 1, row.at, row.seq);
    else if (row.kind === "EyePassed" || row.kind === "ParcelUnexpected") { if (row.track) seen(row.track, body.length_mm, body.eye, row.at, row.seq); }
    else if (row.kind === "Decided") decided(row.track, body.reason, body.chute);
    else if (row.kind === "Exited") { left_at(row.track, body.chute); later(body.reason === "ok" ? 1000 : 200); }
    else if (row.kind === "Missing") { left_at(row.track, ""); later(200); }
    else if (row.kind === "StatusBitsChanged" || row.kind === "PlcAttached") belted((body.bits.state & RUN) !== 0);
    else if (row.kind === "PlcDetached" || row.kind === "PlcRefused") belted(null);
    else if (STANDING.has(row.kind)) later(100);
  }
  function later(ms) {
    if (soon) return;
    soon = setTimeout(() => { soon = 0; look(); }, ms);
  }
  async function look() {
    try {
      const answer = await fetch("/live/now");
      if (answer.ok) { const now = await answer.json(); show(now); return now; }
    } catch (error) { /* the banner says it: nothing is heard */ }
    return null;
  }
  function follow() {
    source = new EventSource("/live/stream?after=" + seq);
    source.onmessage = (event) => take(JSON.parse(event.data));
    source.addEventListener("beat", (event) => { belt(); heard = performance.now(); seq = Number(event.lastEventId); });
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(begin, 1000); };
  }
  async function begin() {
    const now = await look();
    if (now === null) { setTimeout(begin, 1000); return; }
    seq = now.seq;
    for (const one of parcels.values()) one.node.remove();
    parcels.clear();
    for (const one of now.parcels) {
      clock(one.at);
    }
    for (const one of now.parcels) {
      seen(one.track, one.length_mm, one.eye, one.at, now.seq);
      decided(one.track, one.reason, one.chute);
    }
    follow();
  }
  setInterval(look, AGAIN_MS);
  requestAnimationFrame(draw);
  begin();
})();
