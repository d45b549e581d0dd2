"use strict";
// Fills the cards of a page from the data embedded in it: filters, drill-down, tables and downloads.
// The state is in the address behind `#`, so that a link shows what its sender saw.
(() => {
  const PAGE = JSON.parse(document.getElementById("page-data").textContent);
  const FORM = document.querySelector("form.filters");
  const UNITS = { usd: "US dollars", rate: "percent", days: "days", ratio: "ratio" };
  const SHOWN_ROWS = 10;
  const MONTHS = PAGE.months || [];
  const DEFAULTS = { segment: "", region: "", from: MONTHS.at(-18) ?? MONTHS[0] ?? "", to: MONTHS.at(-1) ?? "", pick: "" };
  const state = { ...DEFAULTS };

  // Columns come one by one, and a column of few distinct texts as numbers of its levels.
  function rowsOf({ columns, length }) {
    const rows = Array.from({ length }, () => ({}));
    for (const [name, held] of Object.entries(columns)) {
      const values = Array.isArray(held) ? held : held.codes.map(code => (code === null ? null : held.levels[code]));
      values.forEach((value, index) => { rows[index][name] = value; });
    }
    return rows;
  }
  const DATA = Object.fromEntries(Object.entries(PAGE.data).map(([name, one]) => [name, { ...one, rows: rowsOf(one) }]));
  const has = (data, column) => column in data.columns;
  const monthOf = row => row.month ?? (row.day ? row.day.slice(0, 7) : undefined);
  const isDated = data => has(data, "month") || has(data, "day");

  // In a cube every combination of filters has its own rows, and null stands for all. Other rows add up.
  function inScope(data, row) {
    for (const name of ["segment", "region"]) {
      if (!has(data, name)) continue;
      if (data.is_cube ? (row[name] ?? "") !== state[name] : state[name] && row[name] !== state[name]) return false;
    }
    return true;
  }
  const scoped = data => data.rows.filter(row => inScope(data, row));
  const inPeriod = row => {
    const month = monthOf(row);
    return month === undefined || (month >= state.from && month <= state.to);
  };

  function rowsFor(item) {
    const data = DATA[item.data];
    let rows = scoped(data);
    rows = rows.filter(row => matches(item, row));
    if (item.period !== "all") rows = rows.filter(inPeriod);
    if (item.period === "end" && isDated(data)) {
      const last = lastMonth(rows);
      rows = rows.filter(row => monthOf(row) === last);
    }
    return rows;
  }
  const lastMonth = rows => rows.reduce((last, row) => (monthOf(row) > last ? monthOf(row) : last), "");

  // What the figures are of, in words: the unit, when, and which filters do not apply.
  function scope(item) {
    const data = DATA[item.data];
    const rows = rowsFor(item);
    const value = item.values[0];
    const unit = item.unit ?? UNITS[value?.format];
    const months = Charts.ordered(new Set(rows.map(monthOf).filter(Boolean)));
    const when = !isDated(data) || item.period === "all" ? `as of ${Charts.label(PAGE.as_of)}`
      : months.length === 0 ? `${Charts.label(state.from)} to ${Charts.label(state.to)}`
      : months.length === 1 ? Charts.label(months[0])
      : `${Charts.label(months[0])} to ${Charts.label(months.at(-1))}`;
    const note = unfiltered(data);
    return [item.kind === "table" ? item.unit : unit, when, note].filter(Boolean).join(" · ");
  }

  function unfiltered(data) {
    const missed = ["segment", "region"].filter(name => state[name] && !has(data, name));
    return missed.length ? `all ${missed.map(name => `${name}s`).join(" and ")}` : "";
  }

  function emptyText(item) {
    const chosen = [state.segment, state.region].filter(Boolean).join(", ");
    const why = item.empty ?? "The warehouse has no rows for it";
    const words = scope(item).split(" · ");
    return `Nothing to show${chosen ? ` for ${chosen}` : ""}, ${words.at(-1)}. ${why}.`;
  }

  // Tiles.

  function change(now, then, item, since) {
    if (Charts.isMissing(now) || Charts.isMissing(then) || !since) return "";
    const format = item.values[0].format;
    const isShare = format === "rate";
    if (!isShare && then === 0) return "";
    const by = isShare ? (now - then) * 100 : (now / then - 1) * 100;
    // A multiple reads better than a percentage of four digits.
    const text = !isShare && by >= 1000 ? `${Math.round(now / then)} ×` : `${Math.abs(by).toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} ${isShare ? "pts" : "%"}`;
    const isFlat = text.startsWith("0.0");
    const mood = isFlat || !["up", "down"].includes(item.good) ? "flat" : (by > 0) === (item.good === "up") ? "good" : "bad";
    const arrow = isFlat ? "→" : by > 0 ? "▲" : "▼";
    const word = isFlat ? "unchanged" : by > 0 ? "up" : "down";
    return `<span class="change ${mood}"><span aria-hidden="true">${arrow} </span><span class="unseen">${word} </span>${text}</span> <span class="since">vs ${Charts.label(since)}</span>`;
  }

  function drawTile(card, item) {
    const data = DATA[item.data];
    const value = item.values[0];
    const rows = rowsFor(item);
    const byMonth = isDated(data) ? Charts.group(rows, "month") : null;
    const months = byMonth ? Charts.ordered(byMonth.keys()) : [];
    const series = months.map(month => Charts.figure(byMonth.get(month), value));
    const at = series.findLastIndex(one => !Charts.isMissing(one));
    const now = byMonth ? series[at] : Charts.figure(rows, value);
    const earlier = back => {
      const [year, month] = (months[at] ?? "").split("-").map(Number);
      if (!year) return [null, ""];
      const then = new Date(Date.UTC(year, month - 1 - back, 1)).toISOString().slice(0, 7);
      const all = scoped(data).filter(row => row.month === then && matches(item, row));
      return [all.length ? Charts.figure(all, value) : null, then];
    };
    const [[before, beforeMonth], [yearAgo, yearMonth]] = [earlier(1), earlier(12)];
    card.querySelector(".figure").textContent = Charts.shown(now, value.format);
    card.querySelector(".figure").title = Charts.full(now, value.format);
    card.querySelector(".changes").innerHTML = Charts.isMissing(now)
      ? `<span class="since">${Charts.escaped(item.empty ?? "no figure in this period")}</span>`
      : [change(now, before, item, beforeMonth), change(now, yearAgo, item, yearMonth)].filter(Boolean).map(one => `<span>${one}</span>`).join("");
    card.querySelector(".sparkline").innerHTML = byMonth ? Charts.sparkline(series) : "";
    const when = byMonth ? Charts.label(months[at] ?? state.to) : `as of ${Charts.label(PAGE.as_of)}`;
    card.querySelector(".sub").textContent = [when, unfiltered(data)].filter(Boolean).join(" · ");
    card.dataset.value = Charts.isMissing(now) ? "" : now;
  }
  // A column may have one value or any of a list.
  const matches = (item, row) => Object.entries(item.where ?? {}).every(([name, value]) => [value].flat().includes(row[name]));

  // Charts and tables.

  function drawTable(card, item, place, rows) {
    const isAll = card.dataset.all === "yes";
    const limit = isAll ? Infinity : item.limit ?? SHOWN_ROWS;
    const count = item.x ? Charts.group(rows, item.x).size : rows.length;
    place.innerHTML = `<div class="scroll" tabindex="0">${Charts.tableHtml(item, rows, item.title, limit)}</div>${
      count > (item.limit ?? SHOWN_ROWS) ? `<button class="more">${isAll ? "Show fewer" : `Show all ${count}`}</button>` : ""}`;
    place.querySelector(".more")?.addEventListener("click", () => {
      card.dataset.all = isAll ? "" : "yes";
      drawItem(card, item);
    });
  }

  function drawItem(card, item) {
    const rows = rowsFor(item);
    card.querySelector(".sub").textContent = scope(item);
    const place = card.querySelector(".plot");
    let isDrawn = rows.length > 0;
    if (item.kind === "table") {
      if (isDrawn) drawTable(card, item, place, rows);
    } else if (isDrawn) {
      // What an empty state left behind is not a chart's.
      if (place.querySelector(".empty")) place.innerHTML = "";
      isDrawn = Charts.draw(place, item, rows, item.drill ? (x, key) => pick(item, x, key) : undefined);
    }
    if (!isDrawn) {
      if (item.kind !== "table") echarts.getInstanceByDom(place)?.dispose();
      place.style.height = "";
      place.innerHTML = `<p class="empty">${Charts.escaped(emptyText(item))}</p>`;
    }
    card.dataset.rows = rows.length;
    card.dataset.drawn = isDrawn ? "yes" : "empty";
    card.querySelector(".plot").dataset.sum = sumOf(item, rows);
    const open = card.querySelector(".behind button[aria-expanded=true]");
    if (open) fillPanel(card, item, open.dataset.panel);
    drawDrill(card, item);
  }
  // What a test can compare without reading a picture.
  const sumOf = (item, rows) => (item.values[0] && item.values[0].format !== "text" ? Charts.figure(rows, item.values[0]) ?? "" : "");

  // Drill-down: the rows of another data set behind one bar.

  function pick(item, x, key) {
    const wanted = `${item.id}|${x}|${key ?? ""}`;
    state.pick = state.pick === wanted ? "" : wanted;
    changed();
  }

  function drawDrill(card, item) {
    const place = card.querySelector(".drill");
    const [id, x, key] = state.pick.split("|");
    if (!item.drill || id !== item.id) { place.innerHTML = ""; return; }
    const data = DATA[item.drill.data];
    const [byX, bySeries] = item.drill.by;
    const rows = scoped(data).filter(row => String(row[byX] ?? "unknown") === x && (!bySeries || !key || String(row[bySeries] ?? "unknown") === key));
    const series = key ? item.values.find(one => (one.key ?? one.name) === key)?.label ?? Charts.label(key) : "";
    const title = `${item.drill.title}: ${[Charts.label(x), bySeries && series].filter(Boolean).join(", ")}`;
    const list = { kind: "table", title, values: item.drill.values };
    place.innerHTML = `<div class="drill-head"><h3 tabindex="-1">${Charts.escaped(title)} (${rows.length})</h3><button class="close">Close</button></div>${
      rows.length ? `<div class="scroll" tabindex="0">${Charts.tableHtml(list, rows, title, 200)}</div>` : `<p class="empty">No single row stands behind this bar.</p>`}`;
    place.querySelector(".close").addEventListener("click", () => { state.pick = ""; changed(); });
  }

  // What is behind a card: definition, query, table, file.

  function definitionHtml(item) {
    const data = DATA[item.data];
    const names = item.values.flatMap(value => value.of ?? [value.name]);
    const known = names.filter(name => data.definitions?.[name]);
    const list = known.map(name => {
      const one = data.definitions[name];
      const title = one.link ? `<a href="${Charts.escaped(one.link)}">${Charts.escaped(one.label)}</a>` : Charts.escaped(one.label);
      return `<dt>${title}</dt><dd>${Charts.escaped(one.text)}</dd>`;
    });
    const sources = (data.sources ?? []).map(one => `<a href="dictionary.html#${one}"><code>${one}</code></a>`).join(", ");
    return `${item.note ? `<p>${Charts.escaped(item.note)}</p>` : ""}${data.description ? `<p>${Charts.escaped(data.description)}</p>` : ""}${
      list.length ? `<dl>${list.join("")}</dl>` : ""}${sources ? `<p>Read from ${sources}.</p>` : ""}`;
  }

  function fillPanel(card, item, kind) {
    const panel = card.querySelector(".panel");
    panel.hidden = false;
    if (kind === "definition") panel.innerHTML = definitionHtml(item);
    if (kind === "sql") panel.innerHTML = `<pre tabindex="0">${Charts.escaped(DATA[item.data].sql)}</pre>`;
    if (kind === "table") {
      panel.innerHTML = `<div class="scroll" tabindex="0">${Charts.tableHtml(item, rowsFor(item), `${item.title}, ${scope(item)}`)}</div>`;
      for (const one of panel.querySelectorAll(".pick")) one.addEventListener("click", () => pick(item, one.dataset.x, ""));
    }
  }

  function toggle(card, item, button) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    for (const one of card.querySelectorAll(".behind button[data-panel]")) one.setAttribute("aria-expanded", "false");
    card.querySelector(".panel").hidden = true;
    if (isOpen) return;
    button.setAttribute("aria-expanded", "true");
    fillPanel(card, item, button.dataset.panel);
  }

  function download(item) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([Charts.csv(item.kind === "tile" ? tileTable(item) : item, rowsFor(item))], { type: "text/csv" }));
    link.download = `${item.id}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  const tileTable = item => ({ ...item, kind: "lines", x: "month", x_label: "Month" });

  function addBehind(card, item) {
    const kinds = item.kind === "table" ? ["definition", "sql"] : ["definition", "sql", "table"];
    const names = { definition: "Definition", sql: "SQL", table: "Table" };
    const buttons = kinds.map(kind => `<button data-panel="${kind}" aria-expanded="false" aria-label="${names[kind]}: ${Charts.escaped(item.title)}">${names[kind]}</button>`);
    card.querySelector(".behind").innerHTML = `${buttons.join("")}<button class="csv" aria-label="CSV: ${Charts.escaped(item.title)}">CSV</button><div class="panel" hidden></div>`;
    const asTable = item.kind === "tile" ? tileTable(item) : item;
    for (const one of card.querySelectorAll(".behind button[data-panel]")) one.addEventListener("click", () => toggle(card, asTable, one));
    card.querySelector(".csv").addEventListener("click", () => download(item));
  }

  // The state: from the address to the form, and from the form to the address.

  function readHash() {
    Object.assign(state, DEFAULTS);
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) if (name in state) state[name] = value;
    if (!MONTHS.includes(state.from)) state.from = DEFAULTS.from;
    if (!MONTHS.includes(state.to)) state.to = DEFAULTS.to;
    if (!(PAGE.segments ?? []).includes(state.segment)) state.segment = "";
    if (!(PAGE.regions ?? []).includes(state.region)) state.region = "";
  }

  function hash() {
    const kept = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
    return new URLSearchParams(kept).toString();
  }

  function changed() {
    if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
    const wanted = hash();
    if (location.hash.slice(1) === wanted) draw();
    else location.hash = wanted;
  }

  function fillForm() {
    const option = (value, text) => `<option value="${Charts.escaped(value)}">${Charts.escaped(text)}</option>`;
    const months = MONTHS.map(month => option(month, Charts.label(month))).join("");
    const all = { segment: ["All segments", PAGE.segments], region: ["All regions", PAGE.regions] };
    for (const field of FORM.querySelectorAll("select")) {
      const [text, values] = all[field.name] ?? [];
      field.innerHTML = values ? option("", text) + values.map(one => option(one, one.replaceAll("_", " "))).join("") : months;
      field.addEventListener("change", () => { state[field.name] = field.value; state.pick = ""; changed(); });
    }
    FORM.querySelector(".reset").addEventListener("click", () => { Object.assign(state, DEFAULTS); changed(); });
    FORM.addEventListener("submit", event => event.preventDefault());
  }

  const CARDS = [...document.querySelectorAll("[data-item]")].map(card => [card, JSON.parse(card.querySelector(".item").textContent)]);

  function draw() {
    if (FORM) {
      for (const field of FORM.querySelectorAll("select")) field.value = state[field.name];
      FORM.querySelector(".reset").hidden = hash() === "";
    }
    for (const link of document.querySelectorAll(".tabs a")) {
      const { pick: _, ...kept } = Object.fromEntries(new URLSearchParams(hash()));
      link.hash = new URLSearchParams(kept).toString();
    }
    for (const [card, item] of CARDS) (item.kind === "tile" ? drawTile : drawItem)(card, item);
    document.body.dataset.drawn = String(CARDS.length);
  }

  function redraw() {
    for (const place of document.querySelectorAll(".plot")) echarts.getInstanceByDom(place)?.dispose();
    draw();
  }

  for (const [card, item] of CARDS) addBehind(card, item);
  if (FORM) fillForm();
  // On a phone, the tab of the page may be beyond the edge.
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 16;
  readHash();
  draw();
  addEventListener("hashchange", () => { readHash(); draw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    redraw();
  });
})();
