"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
// Where a server keeps the decisions: {token, round, decided}.
const S = JSON.parse($("server").textContent);
const N = D.names.length, K = D.classes.length, T = D.tile;
const KEY = "emclassify-review:" + D.dataset;
// x excludes, u undoes, i inverts, n goes to the note.
const LETTERS = [..."abcdefghjklmopqrstvwyz"];
const KEYS = D.classes.map((_, k) => (k < 9 ? String(k + 1) : LETTERS[k - 9] || ""));
const TILE_W = T + 6, TILE_H = T + 6 + 32, GAP = 8, HEAD = 44;

// What was decided: {image: {c: class or null, x: excluded, n: note, t: time}}.
let decided = {}, past = [], view = [], slots = [], rows = [], current = 0, columns = 1;
const drawn = new Map();

// Sheets of thumbnails ------------------------------------------------------------------
const inline = [...document.querySelectorAll("script.sheet")];
const urls = [];
function sheetUrl(s) {
  if (!urls[s]) {
    urls[s] = inline.length ? blobUrl(inline[s].textContent) : D.sheets[s];
  }
  return urls[s];
}
function blobUrl(base64) {
  const text = atob(base64.trim()), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
}
function thumb(i, side) {
  const box = document.createElement("div");
  box.style.width = box.style.height = side + "px";
  if (D.unread[i]) {
    box.className = "unread";
    box.textContent = "cannot be read";
    return box;
  }
  box.className = "thumb";
  const per = D.sheet_columns, s = Math.floor(D.place[i] / (per * per));
  const place = D.place[i] % (per * per);
  const zoom = side / T;
  box.style.backgroundImage = `url("${sheetUrl(s)}")`;
  box.style.backgroundSize = `${per * T * zoom}px auto`;
  box.style.backgroundPosition =
    `${-(place % per) * side}px ${-Math.floor(place / per) * side}px`;
  return box;
}

// What is known of an image -------------------------------------------------------------
const labelOf = (i) => (D.target[i] < 0 ? "unlabelled" : D.classes[D.target[i]]);
const chosen = (i) => (decided[i] && decided[i].c !== null ? decided[i].c : D.target[i]);
const changed = (i) => i in decided && !decided[i].x && decided[i].c !== D.target[i];
const percent = (p) => (p === null || p === undefined ? "" : p.toFixed(2));
function describe(i) {
  const said = D.predicted[i] < 0 ? "" :
    `, predicted ${D.classes[D.predicted[i]]} ${percent(D.proba[i][D.predicted[i]])}`;
  let state = "not decided";
  if (i in decided) {
    state = decided[i].x ? "excluded" : changed(i) ?
      `changed to ${D.classes[decided[i].c]}` : "confirmed";
  }
  return `${D.names[i]}, label ${labelOf(i)}${said}, ${state}`;
}

// Filters and order ---------------------------------------------------------------------
function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
}
const count = (codes, k) => codes.reduce((n, c) => n + (c === k), 0);
function setUp() {
  options($("order"), Object.keys(D.orders).map((name) => [name, name]));
  const unlabelled = D.target.some((c) => c < 0) ? [["-1", "unlabelled"]] : [];
  const named = D.classes.map((c, k) => [String(k), `${c} (${count(D.target, k)})`]);
  options($("by-label"), [["", "all"], ...unlabelled, ...named]);
  options($("by-predicted"), [["", "all"],
    ...D.classes.map((c, k) => [String(k), `${c} (${count(D.predicted, k)})`])]);
  for (const what of ["group", "cluster"]) {
    const values = D[what] ? [...new Set(D[what])] : [];
    values.sort((a, b) => String(a).localeCompare(String(b), undefined, { numeric: true }));
    options($("by-" + what), [["", "all"], ...values.map((v) => [String(v), String(v)])]);
  }
  for (const label of document.querySelectorAll("[data-needs]")) {
    label.hidden = !(D[label.dataset.needs] || []).length;
  }
  for (const bar of ["classes", "large-classes"]) {
    const buttons = D.classes.map((name, k) => button(KEYS[k], name, () => decide(k)));
    buttons.push(button("space", "confirm", confirmLabel));
    buttons.push(button("x", "exclude", () => decide(null)));
    $(bar).replaceChildren(...buttons);
  }
  const keys = [["1 … 9, letters", "set the label, and go on to the next image"],
    ["space", "confirm the label (or what the model says, where there is none)"],
    ["x", "exclude, or take back"], ["u", "undo"], ["← → ↑ ↓", "move"],
    ["Home End Page↑ Page↓", "move far"], ["Enter", "large view"], ["Esc", "close it"],
    ["i", "invert"], ["n", "note (in the large view)"], ["?", "these keys"]];
  if (D.cluster) {
    keys.splice(1, 0, ["Shift + 1 … 9, letters",
      "set the label of the whole cluster, as far as it is shown and not decided"]);
  }
  $("keys").replaceChildren(...keys.flatMap(([key, text]) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    dt.append(kbd);
    dd.textContent = text;
    return [dt, dd];
  }));
}
function button(key, text, action) {
  const b = document.createElement("button");
  b.type = "button";
  if (key) {
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    b.append(kbd);
  }
  b.append(text);
  b.addEventListener("click", action);
  return b;
}
function passes(i) {
  const is = (id, value) => $(id).value === "" || $(id).value === String(value);
  if (!is("by-label", D.target[i]) || !is("by-predicted", D.predicted[i])) return false;
  if (D.group && !is("by-group", D.group[i])) return false;
  if (D.cluster && !is("by-cluster", D.cluster[i])) return false;
  if (D.rejected && !is("by-rejected", D.rejected[i] ? 1 : 0)) return false;
  const state = $("by-state").value;
  if (state === "open") return !(i in decided);
  if (state === "done") return i in decided;
  if (state === "changed") return changed(i);
  return state !== "excluded" || (i in decided && decided[i].x);
}
const byCluster = () => D.cluster && $("order").value === "cluster";
function refresh(keep) {
  const at = keep === undefined ? view[current] : keep;
  view = D.orders[$("order").value].filter(passes);
  current = Math.max(0, view.indexOf(at));
  $("shown").textContent = `${view.length} of ${N} shown`;
  arrange();
  select(current, false);
}

// The grid, drawn where it is seen ------------------------------------------------------
function arrange() {
  const width = $("list").clientWidth - 2 * GAP;
  columns = Math.max(1, Math.floor((width + GAP) / (TILE_W + GAP)));
  slots = new Array(view.length);
  rows = [];
  let y = GAP, column = 0, last = null;
  view.forEach((i, place) => {
    const cluster = byCluster() ? D.cluster[i] : null;
    const starts = byCluster() && (place === 0 || cluster !== last);
    if (place && (starts || column === columns)) {
      y += TILE_H + GAP;
      column = 0;
    }
    if (starts) {
      rows.push({ y, cluster });
      y += HEAD;
    }
    slots[place] = { x: GAP + column * (TILE_W + GAP), y, column };
    column += 1;
    last = cluster;
  });
  $("canvas").style.height = (view.length ? y + TILE_H + GAP : 60) + "px";
  for (const element of drawn.values()) element.remove();
  drawn.clear();
  draw();
}
function firstFrom(y) {
  let low = 0, high = slots.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (slots[mid].y + TILE_H < y) low = mid + 1; else high = mid;
  }
  return low;
}
function draw() {
  const top = $("list").scrollTop, height = $("list").clientHeight;
  const from = firstFrom(top - height), until = top + 2 * height;
  const wanted = new Set();
  for (let place = from; place < slots.length && slots[place].y < until; place++) {
    wanted.add(place);
    if (!drawn.has(place)) drawn.set(place, tile(place));
  }
  rows.forEach((row, r) => {
    const key = "row" + r;
    if (row.y < until && row.y + HEAD > top - height) {
      wanted.add(key);
      if (!drawn.has(key)) drawn.set(key, clusterHead(row));
    }
  });
  for (const [key, element] of drawn) {
    if (!wanted.has(key)) {
      element.remove();
      drawn.delete(key);
    }
  }
}
function clusterHead(row) {
  const members = view.filter((i) => D.cluster[i] === row.cluster);
  const head = document.createElement("div");
  head.className = "cluster";
  head.style.top = row.y + "px";
  head.style.height = HEAD - 8 + "px";
  const open = members.filter((i) => !(i in decided)).length;
  const text = document.createElement("span");
  text.textContent = `${members.length} images, ${open} not decided`;
  head.append(`Cluster ${row.cluster}`, text);
  $("canvas").append(head);
  return head;
}
function tile(place) {
  const i = view[place], box = document.createElement("div");
  box.id = "image-" + i;
  box.setAttribute("role", "option");
  box.setAttribute("aria-setsize", view.length);
  box.setAttribute("aria-posinset", place + 1);
  box.style.cssText =
    `left:${slots[place].x}px;top:${slots[place].y}px;width:${TILE_W}px;height:${TILE_H}px`;
  box.append(thumb(i, T));
  for (let k = 0; k < 2; k++) box.append(document.createElement("div"));
  box.addEventListener("click", () => (place === current && document.activeElement === $("list")
    ? enlarge() : (select(place), $("list").focus())));
  $("canvas").append(box);
  update(box, i, place);
  return box;
}
function update(box, i, place) {
  const [first, second] = [...box.children].slice(1);
  const now = chosen(i);
  first.className = "text";
  second.className = "text soft";
  first.textContent = now < 0 ? "–" : D.classes[now];
  second.textContent = D.predicted[i] < 0 ? D.names[i] :
    `${D.classes[D.predicted[i]]} ${percent(D.proba[i][D.predicted[i]])}`;
  box.title = D.names[i];
  box.className = "tile" + (i in decided ? decided[i].x ? " excluded" :
    changed(i) ? " changed" : " done" : "") + (place === current ? " current" : "");
  box.setAttribute("aria-selected", place === current);
  box.setAttribute("aria-label", describe(i));
}
function redraw() {
  for (const [place, element] of drawn) {
    if (typeof place === "number") update(element, view[place], place);
    else {
      element.remove();
      drawn.delete(place);
    }
  }
  draw();
  progress();
}
function select(place, scroll = true) {
  if (!view.length) {
    $("list").removeAttribute("aria-activedescendant");
    progress();
    return;
  }
  current = Math.min(Math.max(place, 0), view.length - 1);
  if (scroll) {
    const { y } = slots[current], list = $("list");
    if (y < list.scrollTop + HEAD) list.scrollTop = Math.max(0, y - HEAD);
    if (y + TILE_H + GAP > list.scrollTop + list.clientHeight) {
      list.scrollTop = y + TILE_H + GAP - list.clientHeight;
    }
    draw();
  }
  $("list").setAttribute("aria-activedescendant", "image-" + view[current]);
  for (const b of document.querySelectorAll("#classes button, #large-classes button")) {
    b.classList.remove("current");
  }
  const now = chosen(view[current]);
  if (now >= 0) {
    for (const bar of ["classes", "large-classes"]) {
      $(bar).children[now].classList.add("current");
    }
  }
  redraw();
  if ($("large").open) showLarge();
}
function moveRow(step) {
  if (!view.length) return;
  const { x, y } = slots[current];
  let best = -1;
  for (let p = current + step; p >= 0 && p < view.length; p += step) {
    if (slots[p].y === y) continue;
    if (best >= 0 && slots[p].y !== slots[best].y) break;
    if (best < 0 || Math.abs(slots[p].x - x) < Math.abs(slots[best].x - x)) best = p;
  }
  if (best >= 0) select(best);
}

// Decisions -----------------------------------------------------------------------------
function decide(c) {
  const i = view[current];
  if (i === undefined) return;
  const was = decided[i];
  const x = c === null && !(was && was.x);
  record([i], (old) => ({ c: c === null ? (old ? old.c : null) : c, x,
    n: old ? old.n : "" }), c === null && was && was.x && was.c === null);
  if (c !== null || x) advance();
}
function confirmLabel() {
  const i = view[current];
  if (i === undefined) return;
  const c = chosen(i) >= 0 ? chosen(i) : D.predicted[i];
  if (c < 0) {
    say("This image has no label yet: set one with its key.");
    return;
  }
  record([i], (old) => ({ c, x: false, n: old ? old.n : "" }));
  advance();
}
function decideCluster(c) {
  const i = view[current];
  const members = view.filter((j) => D.cluster[j] === D.cluster[i] && !(j in decided));
  if (!members.length) return;
  record(members, () => ({ c, x: false, n: "" }));
  say(`${members.length} images of cluster ${D.cluster[i]}: ${D.classes[c]}`);
  const after = view.findIndex((j, p) => p > current && D.cluster[j] !== D.cluster[i]);
  select(after < 0 ? current : after);
}
function record(images, make, remove = false) {
  const t = new Date().toISOString();
  past.push(images.map((i) => [i, decided[i] || null]));
  if (past.length > 1000) past.shift();
  for (const i of images) {
    if (remove) delete decided[i]; else decided[i] = { ...make(decided[i]), t };
  }
  keep(images);
}
function undo() {
  const last = past.pop();
  if (!last) {
    say("Nothing to undo.");
    return;
  }
  for (const [i, old] of last) {
    if (old) decided[i] = old; else delete decided[i];
  }
  keep(last.map(([i]) => i));
  const place = view.indexOf(last[0][0]);
  if (place >= 0) select(place); else refresh(last[0][0]);
}
function advance() {
  if (current < view.length - 1) select(current + 1); else select(current);
}
let stored = true;
function keep(images) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ decided, past: past.slice(-50),
      round: S && S.round }));
  } catch {
    if (stored) say("The browser keeps nothing between visits here: save corrections.csv before you leave.");
    stored = false;
  }
  if (S) send(images);
  redraw();
}
function progress() {
  const all = Object.keys(decided).map(Number);
  const x = all.filter((i) => decided[i].x).length, c = all.filter(changed).length;
  $("progress").textContent =
    `${all.length} of ${N} decided: ${c} changed, ${x} excluded` +
    (D.n_unread ? `; ${D.n_unread} cannot be read` : "") + (waiting ? "; saving …" : "");
}
let speaking;
function say(text) {
  $("message").textContent = text;
  clearTimeout(speaking);
  speaking = setTimeout(() => ($("message").textContent = ""), 6000);
}

// To a server, where there is one -------------------------------------------------------
let queue = new Map(), sending = new Map(), waiting = false;
// What the server has not yet, so that a closed page loses nothing either.
const UNSENT = KEY + ":unsent";
function keepUnsent() {
  try {
    localStorage.setItem(UNSENT, JSON.stringify([...new Map([...sending, ...queue])]));
  } catch { /* nothing can be kept here: keep() has said so */ }
}
async function ask(name, options) {
  const answer = await fetch(name, { ...options, headers: { "X-Token": S.token,
    ...(options && options.body ? { "Content-Type": "application/json" } : {}) } });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status });
  return said;
}
async function send(images) {
  for (const i of images) queue.set(i, decided[i] || null);
  keepUnsent();
  if (waiting) return;
  waiting = true;
  while (queue.size) {
    sending = queue;
    queue = new Map();
    try {
      await ask("decisions", { method: "POST", body: JSON.stringify({ round: S.round,
        dataset: D.dataset, decisions: [...sending].map(([i, d]) => row(i, d)) }) });
    } catch (error) {
      if (error.status) {
        say(`Refused: ${error.message}`);
        sending = new Map();
        break;
      }
      queue = new Map([...sending, ...queue]);
      say("Not saved yet: the server does not answer. Trying again.");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    sending = new Map();
    keepUnsent();
  }
  waiting = false;
  progress();
}
async function nextRound() {
  while (waiting) await new Promise((resolve) => setTimeout(resolve, 100));
  try {
    await ask("next", { method: "POST" });
    follow();
  } catch (error) {
    say(error.message);
  }
}
async function follow() {
  $("next-round").disabled = true;
  for (;;) {
    let state = null;
    try {
      state = await ask("state");
    } catch { /* it may come back */ }
    if (state && state.round > S.round && !waiting) {
      location.reload();
      return;
    }
    if (state && state.error) say(`The model could not be trained: ${state.error}`);
    if (state && !state.busy) break;
    $("round").textContent = "training … you can go on";
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  $("round").textContent = S.said;
  $("next-round").disabled = false;
}
function startWithServer(kept) {
  decided = {};
  for (const d of S.decided) {
    const i = PLACE.get(d[COLUMNS[0]]), c = D.classes.indexOf(d.new_label);
    if (i !== undefined) {
      decided[i] = { c: c < 0 ? null : c, x: d.excluded === "true", n: d.note, t: d.time };
    }
  }
  past = kept && kept.round === S.round ? kept.past : [];
  for (const id of ["next-round", "round"]) $(id).hidden = false;
  if (S.curve) {
    $("curve").href = S.curve;
    $("curve").hidden = false;
  }
  $("next-round").addEventListener("click", nextRound);
  let unsent = [];
  try {
    unsent = JSON.parse(localStorage.getItem(UNSENT)) || [];
  } catch { /* there is none */ }
  for (const [i, d] of unsent) if (d) decided[i] = d; else delete decided[i];
  if (unsent.length) send(unsent.map(([i]) => i));
  follow();
}

// corrections.csv -----------------------------------------------------------------------
const COLUMNS = [D.named ? "file" : "index", "old_label", "new_label", "excluded", "note",
  "time", "dataset"];
const PLACE = new Map(D.names.map((name, i) => [String(name), i]));
function row(i, d) {
  return { [COLUMNS[0]]: D.names[i], old_label: D.target[i] < 0 ? "" : labelOf(i),
    new_label: d && d.c !== null ? D.classes[d.c] : D.target[i] < 0 ? "" : labelOf(i),
    excluded: d && d.x ? "true" : "false", note: d ? d.n : "", time: d ? d.t : "",
    dataset: D.dataset, undone: !d };
}
function csv() {
  const lines = [COLUMNS.join(",")];
  const order = Object.keys(decided).map(Number).sort((a, b) =>
    decided[a].t < decided[b].t ? -1 : decided[a].t > decided[b].t ? 1 : a - b);
  for (const i of order) {
    const r = row(i, decided[i]);
    lines.push(COLUMNS.map((c) => CSV.quoted(r[c])).join(","));
  }
  return lines.join("\r\n") + "\r\n";
}
function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = "corrections.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function load(text) {
  const table = CSV.parse(text.replace(/^\uFEFF/, "")), head = table.shift() || [];
  const at = Object.fromEntries(head.map((name, k) => [name, k]));
  const missing = COLUMNS.filter((c) => !(c in at));
  if (missing.length) {
    say(`This is no file of corrections for this page: it lacks ${missing.join(", ")}.`);
    return;
  }
  if (table.some((r) => r[at.dataset] !== D.dataset)) {
    say("These corrections are of another data set; nothing was taken from them.");
    return;
  }
  const known = new Map(D.classes.map((name, k) => [name, k]));
  let strange = 0;
  const found = [];
  for (const r of table) {
    const i = PLACE.get(r[at[COLUMNS[0]]]), c = known.get(r[at.new_label]);
    const x = r[at.excluded] === "true";
    if (i === undefined || (c === undefined && !x)) strange += 1;
    else found.push([i, { c: c === undefined ? null : c, x, n: r[at.note], t: r[at.time] }]);
  }
  past.push(found.map(([i]) => [i, decided[i] || null]));
  for (const [i, d] of found) if (!decided[i] || decided[i].t <= d.t) decided[i] = d;
  keep(found.map(([i]) => i));
  refresh();
  say(`${found.length} decisions loaded` +
    (strange ? `; ${strange} name an image or a label that this page lacks` : "") + ".");
}

// Large view ----------------------------------------------------------------------------
const pictures = new Map(
  [...document.querySelectorAll("script.picture")].map((e) => [Number(e.dataset.of), e]));
const pictureUrls = new Map();
function pictureUrl(i) {
  if (!D.large) return null;
  if (!pictures.size) return D.large.replace("{}", String(i).padStart(6, "0"));
  if (!pictureUrls.has(i)) pictureUrls.set(i, blobUrl(pictures.get(i).textContent));
  return pictureUrls.get(i);
}
function enlarge() {
  if (!view.length) return;
  if (!$("large").open) $("large").showModal();
  showLarge();
}
function showLarge() {
  const i = view[current], stage = $("stage").clientWidth;
  const [h, w] = D.sizes[i], zoom = stage / Math.max(h, w, 1);
  const picture = $("picture"), url = D.unread[i] ? null : pictureUrl(i);
  picture.replaceChildren();
  picture.removeAttribute("style");
  picture.setAttribute("aria-label", describe(i));
  if (D.unread[i]) picture.textContent = "This image cannot be read: " + D.unread[i];
  else if (url) {
    picture.style.cssText = `width:${w * zoom}px;height:${h * zoom}px;` +
      `background-image:url("${url}");background-size:100% 100%`;
  } else picture.append(thumb(i, stage));
  adjust();
  $("caption").textContent =
    `${D.names[i]} (${current + 1} of ${view.length}); ${h}×${w} px; label ${labelOf(i)}` +
    (D.group ? `; group ${D.group[i]}` : "") + (D.duplicates[i] ? `; ${D.duplicates[i]}` : "");
  const bar = $("scale-bar");
  const nm = Array.isArray(D.pixel_size) ? D.pixel_size[i] : D.pixel_size;
  bar.hidden = !nm || Boolean(D.unread[i]);
  if (!bar.hidden) {
    const want = 0.25 * Math.max(h, w) * nm, power = 10 ** Math.floor(Math.log10(want));
    const length = [5, 2, 1].map((f) => f * power).find((v) => v <= want);
    bar.firstChild.nodeName === "#text" && bar.firstChild.remove();
    bar.prepend(length >= 1000 ? `${length / 1000} µm` : `${Number(length.toPrecision(3))} nm`);
    bar.querySelector("span").style.width = (length / nm) * zoom + "px";
  }
  const shown = D.predicted[i] < 0 ? [] : D.classes.map((name, k) => [name, D.proba[i][k]]);
  $("probabilities").replaceChildren(...shown.map(([name, p]) => {
    const line = document.createElement("div");
    line.className = "row";
    const text = document.createElement("span"), track = document.createElement("div"),
      fill = document.createElement("div"), value = document.createElement("span");
    text.textContent = name;
    value.textContent = percent(p);
    track.className = "track";
    fill.className = "fill";
    fill.style.width = 100 * (p || 0) + "%";
    track.append(fill);
    line.append(text, track, value);
    return line;
  }));
  $("note").value = i in decided ? decided[i].n : "";
  const beside = [...new Set([chosen(i), D.predicted[i]])].filter((k) => k >= 0);
  $("examples").replaceChildren(...beside.flatMap((k) => {
    const head = document.createElement("div"), strip = document.createElement("div");
    head.className = "examples-of";
    head.textContent = `Sure examples of ${D.classes[k]}`;
    strip.className = "strip";
    strip.append(...D.examples[k].filter((j) => j !== i).map((j) => thumb(j, T)));
    return [head, strip];
  }));
}
function adjust() {
  $("picture").style.filter = `brightness(${$("brightness").value}%) ` +
    `contrast(${$("contrast").value}%) invert(${$("invert").checked ? 1 : 0})`;
}
function note() {
  const i = view[current], n = $("note").value;
  if (i === undefined || (decided[i] ? decided[i].n : "") === n) return;
  const c = chosen(i) >= 0 ? chosen(i) : null;
  record([i], (old) => ({ ...(old || { c, x: false }), n }));
}

// Keys ----------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input[type=text], select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (field) {
    if (event.key === "Enter" && event.target === $("note")) {
      note();
      $("picture").focus();
      $("note").blur();
      event.preventDefault();
    }
    return;
  }
  if ($("help").open) return;
  const key = event.key, low = key.toLowerCase();
  const digit = /^(Digit|Numpad)([1-9])$/.exec(event.code);
  const k = KEYS.indexOf(digit ? digit[2] : low);
  const page = columns * Math.max(1, Math.floor($("list").clientHeight / (TILE_H + GAP)));
  const moves = { ArrowRight: () => select(current + 1), ArrowLeft: () => select(current - 1),
    ArrowDown: () => moveRow(1), ArrowUp: () => moveRow(-1), Home: () => select(0),
    End: () => select(view.length - 1), PageDown: () => select(current + page),
    PageUp: () => select(current - page) };
  const onButton = event.target.closest("button, input[type=range], input[type=checkbox], label");
  if (onButton && (key === " " || key === "Enter" || key.startsWith("Arrow"))) return;
  if (k >= 0 && KEYS[k]) {
    if (event.shiftKey && D.cluster) decideCluster(k); else decide(k);
  } else if (key === " ") confirmLabel();
  else if (low === "x") decide(null);
  else if (low === "u") undo();
  else if (low === "i") { $("invert").checked = !$("invert").checked; adjust(); }
  else if (low === "n" && $("large").open) $("note").focus();
  else if (key === "?") $("help").showModal();
  else if (key === "Enter") enlarge();
  else if (key in moves) moves[key]();
  else return;
  event.preventDefault();
});
$("filters").addEventListener("change", () => { refresh(); $("list").scrollTop = 0; select(current); });
$("filters").addEventListener("submit", (event) => event.preventDefault());
let pending = false;
$("list").addEventListener("scroll", () => {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; draw(); });
});
new ResizeObserver(() => { arrange(); }).observe($("list"));
for (const id of ["brightness", "contrast", "invert"]) $(id).addEventListener("input", adjust);
$("reset").addEventListener("click", () => {
  $("brightness").value = $("contrast").value = 100;
  $("invert").checked = false;
  adjust();
});
$("note").addEventListener("change", note);
$("save").addEventListener("click", save);
$("undo").addEventListener("click", undo);
$("load").addEventListener("change", async (event) => {
  if (event.target.files.length) load(await event.target.files[0].text());
  event.target.value = "";
});
$("help-button").addEventListener("click", () => $("help").showModal());
$("help-close").addEventListener("click", () => $("help").close());
$("previous").addEventListener("click", () => select(current - 1));
$("next").addEventListener("click", () => select(current + 1));
$("close").addEventListener("click", () => $("large").close());

let kept = null;
try {
  kept = JSON.parse(localStorage.getItem(KEY));
} catch { /* nothing was kept, or nothing can be */ }
if (S) startWithServer(kept); else if (kept) ({ decided, past } = kept);
setUp();
refresh();
$("list").focus();
})();
