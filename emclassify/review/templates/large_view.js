// One image, large.
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
