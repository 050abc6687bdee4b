// Tables that can be read on a phone: emclassify.css does the rest.
document.addEventListener("DOMContentLoaded", () => {
  const tables = ".bd-article .pst-scrollable-table-container > table";
  for (const table of document.querySelectorAll(tables)) {
    const heads = [...table.querySelectorAll("thead th")].map((h) => h.textContent.trim());
    const cells = [...table.querySelectorAll("tbody td")];
    // Numbers with their spread, and short names, stay on one line.
    for (const cell of cells) {
      const text = cell.textContent.trim();
      const number = /^[−-]?\d[\d\s.,±%−–[\]]*$/.test(text);
      if (text.length <= 10 || (number && text.length <= 22)) cell.classList.add("short");
    }
    // Rows of sentences become blocks, each cell under the head of its column.
    const rowspans = cells.some((cell) => cell.rowSpan > 1 || cell.colSpan > 1);
    const longest = Math.max(0, ...cells.map((cell) => cell.textContent.trim().length));
    if (rowspans || longest < 50 || heads.length < 3) continue;
    table.classList.add("sentences");
    for (const cell of cells) {
      if (cell.textContent.trim()) cell.dataset.head = heads[cell.cellIndex] ?? "";
    }
  }
});
