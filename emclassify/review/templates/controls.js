// Keys and buttons; then the page starts.
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
