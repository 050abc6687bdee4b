// The grid, drawn where it is seen.
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
