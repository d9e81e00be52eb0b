// The coding station: draws /coding/now, follows /coding/stream. Whether a code counts, the gateway and the line say.
"use strict";
(() => {
  const said = document.body.dataset;
  const STALE_MS = 6000, AGAIN_MS = 5000, SOON_MS = 150, TURN = 90, STEP = 1.5, LARGEST = 8;
  const KEYS = ["1234567890", "ABCDEFGHIJ", "KLMNOPQRST", "UVWXYZ-⌫"];
  const byId = (id) => document.getElementById(id);
  const make = (name, text, cls) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  let now = null, chosen = null, side = "", first = null, seq = 0, heard = performance.now(), soon = 0, silent = false;
  let turned = 0, zoom = 1, across = 0, down = 0, sending = false;
  // Codes on their way (the line's word may come before the gateway's), and parcels whose code was taken.
  const keyed = new Map(), sent = new Set();

  // --- what is shown ---------------------------------------------------------------------------
  const clock = (at) => (at === null ? "" : new Date(at).toLocaleTimeString(document.documentElement.lang, {hour12: false}));
  const waiting = () => (now === null ? [] : now.waiting.filter((one) => !sent.has(one.track)));
  const current = () => waiting().find((one) => one.track === chosen);

  function straight() {
    side = "";
    turned = across = down = 0;
    zoom = 1;
  }
  function choose(track) {
    chosen = track;
    straight();
    again(null);
    show();
    byId("code").focus({preventScroll: true});
  }
  function again(code) {
    first = code;
    byId("code").value = "";
    byId("ask").textContent = code === null ? said.tTypeCode : said.tTypeAgain;
    byId("ask").classList.toggle("not", code !== null);
  }
  function entry(one) {
    const node = make("li"), button = make("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(one.track === chosen));
    button.append(make("b", "#" + one.track), make("span", clock(one.since)));
    const where = one.in_time ? said.tInTime : one.on_belt ? said.tTooLate : (one.chute ? one.chute + " · " : "") + one.reason;
    button.append(make("small", where, one.in_time ? "urgent" : ""));
    button.addEventListener("click", () => choose(one.track));
    node.append(button);
    return node;
  }
  function place() {
    byId("picture").style.transform = "translate(" + across + "px, " + down + "px) scale(" + zoom + ") rotate(" + turned + "deg)";
  }
  function sight(one) {
    const pictures = one === undefined ? [] : one.pictures;
    if (!pictures.some((picture) => picture.reader === side)) side = pictures.length ? pictures[0].reader : "";
    byId("sides").replaceChildren(...pictures.map((picture) => {
      const button = make("button", picture.reader);
      button.type = "button";
      button.setAttribute("aria-pressed", String(picture.reader === side));
      button.addEventListener("click", () => { side = picture.reader; show(); });
      return button;
    }));
    const image = byId("picture"), shown = pictures.find((picture) => picture.reader === side);
    const source = shown === undefined ? "" : "/coding/picture/" + one.track + "/" + encodeURIComponent(side);
    if (image.getAttribute("src") !== source) {
      if (source) image.setAttribute("src", source); else image.removeAttribute("src");
    }
    image.hidden = !source;
    byId("blind").hidden = Boolean(source);
    byId("blind").textContent = one === undefined ? said.tNobodyWaits : said.tNoPicture;
    byId("cause").textContent = shown === undefined ? "" : shown.text;
    place();
  }
  function show() {
    const list = waiting();
    if (chosen === null || !list.some((one) => one.track === chosen)) {
      if (chosen !== null) again(null);
      chosen = list.length ? list[0].track : null;
      straight();
    }
    const one = current();
    byId("count").textContent = String(list.length);
    byId("waiting").replaceChildren(...(list.length ? list.map(entry) : [make("li", said.tNobodyWaits, "none")]));
    byId("which").textContent = one === undefined ? "" : "#" + one.track + " · " + one.length_mm + " mm";
    byId("take").disabled = one === undefined || sending;
    sight(one);
    const ready = now === null ? [] : now.ready;
    byId("ready").replaceChildren(...(ready.length ? ready.map((row) => {
      const node = make("li");
      node.append(make("b", row.code), make("small", "#" + row.track + " · " + row.by + " · " + clock(row.at)));
      return node;
    }) : [make("li", said.tNoneReady, "none")]));
  }

  // --- keying ----------------------------------------------------------------------------------
  function tell(text, bad) {
    byId("said").textContent = text;
    byId("said").className = bad ? "bad" : "";
  }
  async function send(track, code, repeated) {
    const id = "page-" + Date.now() + "-" + Math.floor(Math.random() * 1e6);
    const answer = await fetch("/coding/" + track, {
      method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({message_id: id, code, again: repeated}),
    });
    if (answer.ok) return "";
    const problem = await answer.json();
    return String(problem.type).split("/").pop().split(":").pop();
  }
  async function take() {
    const one = current(), typed = byId("code").value.trim().toUpperCase();
    if (one === undefined || !typed || sending) return;
    const code = first === null ? typed : first;
    if (first !== null && typed !== first) { again(null); tell(said.tNotTheSame, true); return; }
    sending = true;
    byId("take").disabled = true;
    let wrong = "";
    keyed.set(one.track, code);
    try {
      wrong = await send(one.track, code, first === null ? "" : typed);
    } catch (error) {
      wrong = "away";
    }
    sending = false;
    if (wrong !== "") keyed.delete(one.track);
    if (wrong === "") {
      if (keyed.has(one.track)) {
        sent.add(one.track);
        tell("#" + one.track + " " + code + ": " + said.tSent);
      }
      again(null);
    } else if (wrong === "code_unchecked" && first === null) {
      again(code);
      tell(said.tUnchecked);
    } else {
      tell(wrong === "forbidden" ? said.tForbidden : wrong === "away" ? said.tNoAnswer : said.tNotTaken, true);
    }
    show();
    byId("code").focus({preventScroll: true});
  }
  function press(key) {
    const field = byId("code");
    field.value = key === "⌫" ? field.value.slice(0, -1) : (field.value + key).slice(0, field.maxLength);
  }
  for (const row of KEYS) for (const key of row) {
    const button = make("button", key);
    button.type = "button";
    button.addEventListener("click", () => press(key));
    byId("keys").append(button);
  }
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); take(); });
  byId("clear").addEventListener("click", () => { again(null); tell(""); });
  byId("turn").addEventListener("click", () => { turned = (turned + TURN) % 360; show(); });
  byId("larger").addEventListener("click", () => { zoom = Math.min(LARGEST, zoom * STEP); show(); });
  byId("smaller").addEventListener("click", () => { zoom = Math.max(1, zoom / STEP); if (zoom === 1) across = down = 0; show(); });
  byId("frame").addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) return;
    across += event.movementX;
    down += event.movementY;
    place();
  });
  byId("picture").addEventListener("error", () => {
    byId("picture").hidden = true;
    byId("blind").hidden = false;
    byId("blind").textContent = said.tNoPicture;
  });

  // --- following -------------------------------------------------------------------------------
  function taken(row) {
    const code = keyed.get(row.track);
    if (row.kind !== "KeyedCodeTaken" || code === undefined || now === null) return;
    keyed.delete(row.track);
    sent.delete(row.track);
    tell("#" + row.track + " " + code + ": " + (now.outcomes[row.body.outcome] || row.body.outcome), row.body.outcome !== "joined" && row.body.outcome !== "gone_by");
  }
  // Of a fast line's rows few change anything here: one more waits, or one that waits went on.
  function matters(row) {
    const unread = (row.kind === "Identified" || row.kind === "ChoiceChanged") && row.body.quality === "no";
    return unread || row.kind === "KeyedCodeTaken" || (now !== null && now.waiting.some((one) => one.track === row.track));
  }
  function later() {
    if (!soon) soon = setTimeout(() => { soon = 0; look(); }, SOON_MS);
  }
  async function look() {
    try {
      const answer = await fetch("/coding/now");
      if (!answer.ok) return null;
      now = await answer.json();
      heard = performance.now();
      silent = now.process === "down";
      show();
      // A picture is written a moment after its parcel is known to be a no-read.
      if (current() !== undefined && current().pictures.length === 0) setTimeout(later, 4 * SOON_MS);
      return now;
    } catch (error) {
      return null; // the banner says it: nothing is heard
    }
  }
  function follow() {
    const source = new EventSource("/coding/stream?after=" + seq);
    source.onmessage = (event) => {
      heard = performance.now();
      const row = JSON.parse(event.data);
      seq = row.seq;
      taken(row);
      if (matters(row)) later();
    };
    source.addEventListener("beat", () => { heard = performance.now(); });
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(begin, 1000); };
  }
  async function begin() {
    if (await look() === null) { setTimeout(begin, 1000); return; }
    seq = now.seq;
    follow();
  }
  setInterval(look, AGAIN_MS);
  setInterval(() => {
    const stale = silent || performance.now() - heard > STALE_MS;
    document.body.classList.toggle("stale", stale);
    byId("stale").hidden = !stale;
    byId("stale").textContent = silent ? said.tLineSilent : said.tStale;
  }, 500);
  begin();
})();
