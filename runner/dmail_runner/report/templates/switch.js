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
})();
