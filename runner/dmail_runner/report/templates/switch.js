(() => {
  const root = document.documentElement;
  const all = [...document.querySelectorAll(".switches input")];
  const told = (name) => { try { return localStorage.getItem("dmail-" + name); } catch { return null; } };
  const language = () => { root.lang = document.getElementById("l-pt").checked ? "pt-BR" : "en"; };
  const wanted = [told("language") ?? (navigator.language.startsWith("pt") ? "l-pt" : "l-en"), told("theme")];
  for (const input of all) {
    if (wanted.includes(input.id)) input.checked = true;
    input.addEventListener("change", () => {
      try { localStorage.setItem("dmail-" + input.name, input.id); } catch { /* a page from disk may remember nothing */ }
      language();
    });
  }
  language();
})();
