// Decisions: taken, taken back, kept by the browser.
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
