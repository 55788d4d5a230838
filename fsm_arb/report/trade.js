"use strict";
(() => {
  const form = document.querySelector("form.filters");
  const text = document.getElementById("record-text");
  const kind = document.getElementById("record-kind");
  const open = document.getElementById("record-open");
  const count = document.getElementById("record-count");
  const rows = Array.from(document.querySelectorAll("#records > tbody > tr"));
  const words = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      const fits = (!kind.value || row.dataset.kind === kind.value) && wanted.every((word) => words[number].includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = shown === rows.length ? `${rows.length} records` : `${shown} of ${rows.length} records`;
  };
  text.addEventListener("input", show);
  kind.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  open.addEventListener("click", () => {
    const opened = open.getAttribute("aria-pressed") !== "true";
    open.setAttribute("aria-pressed", String(opened));
    rows.forEach((row) => row.querySelectorAll("details").forEach((each) => { each.open = opened && !row.hidden; }));
  });
  form.hidden = false;
  show();
})();
