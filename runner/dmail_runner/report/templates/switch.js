(() => {
  const root = document.documentElement;
  const all = [...document.querySelectorAll(".switches input")];
  const saved = (name) => { try { return localStorage.getItem("dmail-" + name); } catch { return null; } };
  const language = () => { root.lang = document.getElementById("l-pt").checked ? "pt-BR" : "en"; };
  const wanted = [saved("language") ?? (navigator.language.startsWith("pt") ? "l-pt" : "l-en"), saved("theme")];
  for (const input of all) {
    if (wanted.includes(input.id)) input.checked = true;
    input.addEventListener("change", () => {
      try { localStorage.setItem("dmail-" + input.name, input.id); } catch { /* a page from disk may not have a storage */ }
      language();
    });
  }
  language();
  document.addEventListener("DOMContentLoaded", () => {
    for (const input of document.querySelectorAll("[data-filter]")) {
      const table = document.getElementById(input.dataset.filter);
      input.closest("p").hidden = false;
      input.addEventListener("input", () => {
        const wanted = input.value.trim().toLowerCase();
        for (const row of table.querySelectorAll("tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(wanted);
        if (wanted) for (const years of table.querySelectorAll("details")) years.open = true;
      });
    }
    for (const drawing of document.querySelectorAll("svg.lineage")) drawing.parentElement.scrollLeft = drawing.clientWidth; // the file is at the end
    for (const command of document.querySelectorAll("code.cmd")) {
      const button = document.getElementById("copy").content.firstElementChild.cloneNode(true);
      command.after(button);
      button.addEventListener("click", async () => {
        const chosen = getSelection();
        chosen.selectAllChildren(command);
        try { await navigator.clipboard.writeText(command.textContent); } catch { document.execCommand("copy"); }
        chosen.removeAllRanges();
        const [before, after] = button.children;
        [before.hidden, after.hidden] = [true, false];
        setTimeout(() => { [before.hidden, after.hidden] = [false, true]; }, 1500);
      });
    }
  });
})();
