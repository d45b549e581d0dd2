"use strict";
// The site's menus and its search. The index is loaded when somebody begins to search.
(() => {
  const KINDS = ["metric", "page", "figure", "question", "section", "table", "column"];
  const MOST = 24;
  const menus = [...document.querySelectorAll("details.menu")];
  const box = document.querySelector("#search");
  const list = document.querySelector("#found");

  const close = but => menus.forEach(menu => menu === but || (menu.open = false));
  menus.forEach(menu => menu.addEventListener("toggle", () => menu.open && close(menu)));
  document.addEventListener("click", event => {
    close(event.target.closest("details.menu"));
    if (!event.target.closest(".search")) hide();
  });

  let index = null;
  let chosen = -1;

  function load() {
    if (index || document.querySelector("script[data-index]")) return;
    const script = document.createElement("script");
    script.src = box.dataset.index;
    script.dataset.index = "";
    script.onload = () => {
      index = window.SEARCH.map(entry => {
        // A column has its table instead of a kind and an address.
        const [title, kind, href, text] = entry.length === 4 ? entry
          : [entry[0], "column", `dictionary.html#${entry[1]}.${entry[0]}`, `${entry[1]}${entry[2] && `: ${entry[2]}`}`];
        return { title, kind, href, text, key: words(title), all: `${words(title)} ${kind} ${words(text)}` };
      });
      show();
    };
    document.head.append(script);
  }

  // Names of columns are found by their words too: "closing mrr" is in closing_mrr_usd.
  const words = text => text.toLowerCase().replace(/[_.\-/]+/g, " ");

  function rank(entry, query) {
    const key = entry.key;
    const place = key === query ? 0 : key.startsWith(query) ? 1 : ` ${key}`.includes(` ${query}`) ? 2 : key.includes(query) ? 3 : 4;
    return place * 10 + KINDS.indexOf(entry.kind) + key.length / 1000;
  }

  function find(text) {
    const query = words(text).trim();
    const parts = query.split(/\s+/);
    return index
      .filter(entry => parts.every(part => entry.all.includes(part)))
      .map(entry => [rank(entry, query), entry])
      .sort(([one], [other]) => one - other)
      .map(([, entry]) => entry);
  }

  const escaped = text => text.replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`);

  function show() {
    if (!index || box.value.trim() === "") return hide();
    const found = find(box.value);
    chosen = -1;
    list.innerHTML = found.slice(0, MOST).map((entry, number) =>
      `<li role="option" id="found-${number}" aria-selected="false"><a href="${escaped(list.dataset.home + entry.href)}" tabindex="-1">`
      + `<span class="kind">${entry.kind}</span> <b>${escaped(entry.title)}</b> <span class="small">${escaped(entry.text)}</span></a></li>`).join("")
      + `<li class="rest" role="status">${found.length === 0 ? "Nothing found." : found.length > MOST ? `${found.length - MOST} more; add a word.` : ""}</li>`;
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
  }

  function hide() {
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function choose(step) {
    const options = [...list.querySelectorAll("[role=option]")];
    if (list.hidden || options.length === 0) return;
    chosen = (chosen + step + options.length) % options.length;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", options[chosen].id);
  }

  box.addEventListener("focus", load);
  box.addEventListener("input", () => { load(); show(); });
  box.addEventListener("keydown", event => {
    if (event.key === "ArrowDown") choose(1);
    else if (event.key === "ArrowUp") choose(-1);
    else if (event.key === "Escape") hide();
    else if (event.key === "Enter") {
      const option = list.querySelectorAll("[role=option]")[Math.max(chosen, 0)];
      if (!list.hidden && option) { hide(); option.querySelector("a").click(); }
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) {
      event.preventDefault();
      box.focus();
    }
    if (event.key === "Escape") close();
  });
})();
