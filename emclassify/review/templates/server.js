// To a server, where there is one.
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
