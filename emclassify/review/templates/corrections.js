// Decisions to a file, corrections.csv, and back.
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
