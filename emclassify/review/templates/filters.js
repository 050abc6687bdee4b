// Filters and order, and the bars of buttons.
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
