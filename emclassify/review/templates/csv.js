// Comma-separated values, as RFC 4180 has them.
const CSV = {
  quoted(value) {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  },
  parse(text) {
    const out = [];
    let line = [], cell = "", inside = false;
    for (let k = 0; k < text.length; k++) {
      const c = text[k];
      if (inside) {
        if (c !== '"') cell += c;
        else if (text[k + 1] === '"') { cell += '"'; k++; } else inside = false;
      } else if (c === '"') inside = true;
      else if (c === ",") { line.push(cell); cell = ""; }
      else if (c === "\n") {
        line.push(cell);
        out.push(line);
        line = [];
        cell = "";
      } else if (c !== "\r") cell += c;
    }
    if (cell || line.length) out.push([...line, cell]);
    return out.filter((r) => r.length > 1 || r[0]);
  },
};
