// What the page holds, and what all its parts share.
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
// Where a server keeps the decisions: {token, round, decided}.
const S = JSON.parse($("server").textContent);
const N = D.names.length, T = D.tile;
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
