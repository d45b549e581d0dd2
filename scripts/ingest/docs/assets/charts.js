"use strict";
// Draws one figure: a chart with the table and the CSV file behind it. It knows nothing of filters.
//
// An item says what to show: {kind, title, x, values, series, format, ...}; `dashboards/README.md`
// lists its keys. Rows are objects by column. Every chart is first a matrix, `{xs, series}`, which
// the picture, the table and the CSV file are made of, so that the three cannot differ.
const Charts = (() => {
  // Okabe and Ito's colours, which people with any colour vision can tell apart.
  const PALETTE = {
    light: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6a00", "#6b7280"],
    dark: ["#4ba3db", "#f0b53d", "#35c096", "#de9bc0", "#8ccdf0", "#f08a45", "#d6c84a", "#9aa6b3"],
  };
  const NAMED = { blue: 0, orange: 1, green: 2, pink: 3, sky: 4, red: 5, olive: 6, grey: 7 };
  const SHADES = {
    light: ["#f1f6fb", "#bcd9ee", "#6aaedb", "#1f78b4", "#08456f"],
    dark: ["#1b2733", "#1f4a6b", "#2874a6", "#5aaade", "#c9e6fa"],
  };
  const DIVERGING = {
    light: ["#b8500f", "#eda56b", "#f5f3ef", "#7fb9de", "#0b5f96"],
    dark: ["#f08a45", "#8a4a1c", "#26303a", "#245f8c", "#5cb3ec"],
  };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const NONE = "–";
  const MOST_SERIES = 8;

  const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const mode = () => (isDark() ? "dark" : "light");
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isMissing = value => value === null || value === undefined || Number.isNaN(value);

  // Numbers and dates as a person writes them.

  const grouped = (value, digits = 0) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

  function compact(value) {
    const size = Math.abs(value);
    if (size >= 999950) return `${grouped(value / 1e6, 2)}M`;
    if (size >= 1000) return `${grouped(value / 1e3, 1)}k`;
    return grouped(value, size > 0 && size < 10 && value % 1 ? 1 : 0);
  }

  const signed = (value, text) => (value < 0 ? `−${text(-value)}` : text(value));
  const FORMATS = {
    usd: value => signed(value, one => `$${compact(one)}`),
    rate: value => signed(value, one => `${grouped(one * 100, 1)} %`),
    count: value => signed(value, compact),
    number: value => signed(value, one => grouped(one, one < 100 && one % 1 ? 1 : 0)),
    days: value => signed(value, one => `${grouped(one, one % 1 ? 1 : 0)} d`),
    ratio: value => signed(value, one => `${grouped(one, 2)} ×`),
    text: String,
    date: value => dayLabel(value),
    month: value => monthLabel(value),
    yes: value => (value ? "yes" : "no"),
    words: value => label(value).replaceAll("_", " "),
  };
  // In tables and tiles' titles, where there is room for every digit.
  const FULL = {
    ...FORMATS,
    usd: value => signed(value, one => `$${grouped(one)}`),
    count: value => signed(value, one => grouped(one, one % 1 ? 1 : 0)),
    number: value => signed(value, one => grouped(one, one % 1 ? 2 : 0)),
  };
  const shown = (value, format) => (isMissing(value) ? NONE : (FORMATS[format] || String)(value));
  const full = (value, format) => (isMissing(value) ? NONE : (FULL[format] || String)(value));

  const isMonth = value => /^\d{4}-\d\d$/.test(value);
  const isDay = value => /^\d{4}-\d\d-\d\d$/.test(value);
  const monthLabel = value => `${MONTHS[+value.slice(5, 7) - 1]} ${value.slice(0, 4)}`;
  const dayLabel = value => `${+value.slice(8, 10)} ${monthLabel(value)}`;
  function label(value) {
    if (isMissing(value)) return NONE;
    const text = String(value);
    return isMonth(text) ? monthLabel(text) : isDay(text) ? dayLabel(text) : text;
  }
  // A month on an axis: the year only where it starts, so that twenty fit.
  function tick(value, index) {
    if (!isMonth(value) && !isDay(value)) return value;
    const month = MONTHS[+value.slice(5, 7) - 1];
    if (isDay(value)) return `${+value.slice(8, 10)} ${month}\n${value.slice(0, 4)}`;
    return index === 0 || month === "Jan" ? `${month}\n${value.slice(0, 4)}` : month;
  }

  // From rows to a matrix.

  function total(rows, column) {
    let sum = null;
    for (const row of rows) if (!isMissing(row[column])) sum = (sum ?? 0) + row[column];
    return sum;
  }

  // A share is the ratio of two sums, never a sum or an average of shares.
  function figure(rows, value) {
    if (!value.of) {
      const sum = total(rows, value.name);
      return sum === null ? null : sum * (value.times ?? 1);
    }
    const [above, below] = value.of.map(column => total(rows, column));
    return above === null || !below ? null : above / below;
  }

  const group = (rows, column) => {
    const groups = new Map();
    for (const row of rows) {
      const key = isMissing(row[column]) ? "unknown" : row[column];
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    return groups;
  };

  const ordered = keys =>
    [...keys].sort((one, other) =>
      typeof one === "number" && typeof other === "number"
        ? one - other
        : String(one).localeCompare(String(other), "en", { numeric: true }));

  // Months without a row have their place on an axis too.
  function everyMonth(months) {
    const all = [];
    for (let month = months[0]; month <= months.at(-1);) {
      all.push(month);
      const [year, number] = month.split("-").map(Number);
      month = new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 7);
    }
    return all;
  }

  // In the order of the item's colours, else of a column, else of their own.
  function keysOf(item, rows, column, order) {
    const groups = group(rows, column);
    if (item.colors && column === (item.series ?? item.x)) {
      const places = Object.keys(item.colors);
      return [...groups.keys()].sort((one, other) => places.indexOf(one) - places.indexOf(other));
    }
    if (column === "month" && groups.size) return everyMonth(ordered(groups.keys()));
    if (!order) return ordered(groups.keys());
    const rank = new Map([...groups].map(([key, members]) => [key, members[0][order] ?? 0]));
    return [...groups.keys()].sort((one, other) => rank.get(one) - rank.get(other));
  }

  // As many series as there are colours: the smallest of an amount are shown as one.
  function largest(item, rows, names) {
    const parts = names.map(name => [name, [name]]);
    if (item.values[0].of || item.kind === "heatmap" || names.length <= MOST_SERIES) return parts;
    const sizes = new Map(names.map(name => [name, total(rows.filter(row => row[item.series] === name), item.values[0].name) ?? 0]));
    const rank = [...names].sort((one, other) => sizes.get(other) - sizes.get(one));
    const kept = names.filter(name => rank.indexOf(name) < MOST_SERIES - 1);
    return [...kept.map(name => [name, [name]]), ["Other", rank.slice(MOST_SERIES - 1)]];
  }

  function matrix(item, rows) {
    const groups = group(rows, item.x);
    const at = x => groups.get(x) ?? [];
    let xs = keysOf(item, rows, item.x, item.x_order);
    let series;
    if (item.series) {
      const names = keysOf(item, rows, item.series, item.series_order);
      const parts = largest(item, rows, names);
      series = parts.map(([name, members], index) => ({
        key: name, label: FORMATS.words(name), format: item.values[0].format,
        color: item.colors ? NAMED[item.colors[name]] : index,
        data: xs.map(x => figure(at(x).filter(row => members.includes(row[item.series] ?? "unknown")), item.values[0])),
      }));
    } else {
      series = item.values.map((value, index) => ({
        ...value, key: value.key ?? value.name, color: value.color ? NAMED[value.color] : index,
        data: xs.map(x => figure(at(x), value)),
      }));
    }
    if (item.kind === "ranking") {
      const rank = xs.map((_, index) => index).sort((one, other) =>
        (series[0].data[other] ?? -Infinity) - (series[0].data[one] ?? -Infinity));
      const top = (item.x_order || item.colors ? xs.map((_, index) => index) : rank).slice(0, item.limit || 12);
      series = series.map(one => ({ ...one, data: top.map(index => one.data[index]) }));
      xs = top.map(index => xs[index]);
    }
    return { xs, series };
  }

  // The steps from an opening to a closing balance: the first opening, sums of flows, the last closing.
  function bridge(item, rows) {
    const months = ordered(group(rows, item.x).keys());
    const at = month => rows.filter(row => row[item.x] === month);
    const flows = item.values.slice(1, -1);
    const values = months.length === 0 ? [] : [
      figure(at(months[0]), item.values[0]),
      ...flows.map(value => figure(rows, value)),
      figure(at(months.at(-1)), item.values.at(-1)),
    ];
    const format = item.values[0].format;
    return {
      xs: values.length ? item.values.map(value => value.label) : [],
      series: [{ key: "value", label: item.unit || "Amount", format, color: 0, data: values }],
    };
  }

  const table = (item, rows) => (item.kind === "bridge" ? bridge(item, rows) : matrix(item, rows));
  const isEmpty = ({ series }) => !series.some(one => one.data.some(value => !isMissing(value)));

  // From a matrix to a picture.

  const colorOf = index => PALETTE[mode()][index % PALETTE[mode()].length];
  const escaped = text => String(text).replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`);

  function tooltip(trigger, formatter) {
    return {
      trigger, formatter, confine: true, backgroundColor: css("--ground"), borderColor: css("--line"),
      textStyle: { color: css("--text"), fontSize: 13 }, axisPointer: { type: "shadow", shadowStyle: { opacity: 0.08 } },
    };
  }

  const line = (marker, name, value) =>
    `<tr><td>${marker}${escaped(name)}</td><td class="number">${escaped(value)}</td></tr>`;

  function base(item, { series }) {
    const many = series.length > 1;
    return {
      animation: false, backgroundColor: "transparent", color: PALETTE[mode()],
      textStyle: { color: css("--text"), fontFamily: "system-ui, sans-serif" },
      aria: { enabled: true, label: { description: `${item.title}. The table behind the chart has the same figures.` } },
      grid: { left: 2, right: 14, top: many ? 34 : 12, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      legend: many
        ? { top: 0, left: 0, type: "scroll", itemWidth: 12, itemHeight: 8, icon: "roundRect", itemGap: 14,
            textStyle: { color: css("--text") }, pageTextStyle: { color: css("--quiet") }, pageIconColor: css("--link") }
        : undefined,
      tooltip: tooltip("axis", points =>
        `<b>${escaped(label(points[0].name))}</b><table>${points
          .filter(point => !isMissing(point.value))
          .map(point => line(point.marker, point.seriesName, full(point.value, series[point.seriesIndex]?.format))).join("")}</table>`),
    };
  }

  const category = xs => ({
    type: "category", data: xs.map(String), axisTick: { show: false }, axisLine: { lineStyle: { color: css("--line") } },
    axisLabel: { color: css("--quiet"), formatter: tick, hideOverlap: true, lineHeight: 15, margin: 10 },
  });
  const amounts = (format, more = {}) => ({
    type: "value", axisLabel: { color: css("--quiet"), formatter: value => axisText(value, format), hideOverlap: true },
    splitLine: { lineStyle: { color: css("--line"), opacity: 0.7 } }, ...more,
  });
  // Without the digits that are zero on an axis.
  const axisText = (value, format) => shown(value, format).replace(/\.0+(?=[kM]|\s|$)/, "").replace(/(\.\d)0(?=M)/, "$1");

  const reference = item => (item.reference === undefined ? undefined : {
    silent: true, symbol: "none", label: { show: false }, lineStyle: { color: css("--quiet"), type: "dashed" },
    data: [{ yAxis: item.reference }],
  });

  function columns(item, data) {
    const isLines = item.kind === "lines" || item.kind === "areas";
    const isStacked = item.kind === "areas" || item.stacked !== false;
    const format = data.series[0].format;
    const series = data.series.map(one => {
      const isLine = isLines || one.line;
      return {
        name: one.label, type: isLine ? "line" : "bar", data: one.data,
        stack: isStacked && !one.line && item.kind !== "lines" ? "all" : undefined,
        color: one.line ? css("--text") : colorOf(one.color), barMaxWidth: 34,
        areaStyle: item.kind === "areas" ? { opacity: 0.75 } : undefined,
        lineStyle: { width: item.kind === "areas" ? 0.5 : 2, type: one.dashed ? "dashed" : "solid" },
        symbol: "circle", symbolSize: 5, showSymbol: isLine && item.kind !== "areas" && data.xs.length <= 40,
        connectNulls: false, markLine: undefined,
      };
    });
    if (series.length) series[0].markLine = reference(item);
    return {
      ...base(item, data), series,
      xAxis: { ...category(data.xs), boundaryGap: !isLines },
      // Bars start at zero; lines may start where the figures do.
      yAxis: amounts(format, { scale: item.kind === "lines" && item.zero !== true, max: item.max }),
    };
  }

  function ranking(item, data) {
    const xs = data.xs.map(FORMATS.words);
    const longest = innerWidth < 640 ? 110 : 190;
    return {
      ...base(item, data),
      grid: { ...base(item, data).grid, right: 58 },
      xAxis: amounts(data.series[0].format, { max: item.max, splitNumber: 4, interval: item.max ? item.max / 4 : undefined }),
      yAxis: { ...category(xs), inverse: true, axisLabel: { color: css("--text"), width: longest, overflow: "truncate" } },
      series: data.series.map(one => ({
        name: one.label, type: "bar", color: colorOf(one.color), barMaxWidth: 22,
        data: one.data.map((value, index) => (item.colors ? { value, itemStyle: { color: colorOf(NAMED[item.colors[data.xs[index]]] ?? 7) } } : value)),
        stack: item.stacked ? "all" : undefined,
        label: { show: !item.stacked, position: "right", color: css("--text"), formatter: point => shown(point.value, one.format) },
        markLine: item.reference === undefined ? undefined : { ...reference(item), data: [{ xAxis: item.reference }] },
      })),
    };
  }

  function waterfall(item, data) {
    const values = data.series[0].data.map(value => value ?? 0);
    const last = values.length - 1;
    let level = 0;
    const bars = values.map((value, index) => {
      const isBalance = index === 0 || index === last;
      const from = isBalance ? 0 : level;
      level = isBalance ? value : level + value;
      return { below: Math.min(from, level), size: Math.abs(level - from), color: isBalance ? 7 : value < 0 ? 5 : 0 };
    });
    const format = data.series[0].format;
    // On a phone the steps are rows, since their names do not fit under columns.
    const isNarrow = innerWidth < 640;
    const steps = {
      ...category(data.xs), inverse: isNarrow,
      axisLabel: { color: css("--quiet"), interval: 0, overflow: "break", width: 78, fontSize: 12, lineHeight: 14 },
    };
    const plain = base(item, data);
    return {
      ...plain, legend: undefined,
      tooltip: tooltip("axis", points => `<b>${escaped(points[0].name)}</b><br>${escaped(full(values[points[0].dataIndex], format))}`),
      grid: { ...plain.grid, ...(isNarrow ? { right: 56 } : { top: 24 }) },
      [isNarrow ? "yAxis" : "xAxis"]: steps,
      [isNarrow ? "xAxis" : "yAxis"]: amounts(format, isNarrow ? { splitNumber: 3 } : {}),
      series: [
        { type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" }, data: bars.map(bar => bar.below) },
        {
          type: "bar", stack: "all", barMaxWidth: isNarrow ? 24 : 64, data: bars.map(bar => ({ value: bar.size, itemStyle: { color: colorOf(bar.color) } })),
          label: { show: true, position: isNarrow ? "right" : "top", color: css("--text"), formatter: point => shown(values[point.dataIndex], format) },
        },
      ],
    };
  }

  function heatmap(item, data) {
    const format = data.series[0].format;
    const cells = data.series.flatMap((one, y) => one.data.map((value, x) => [x, y, value])).filter(cell => !isMissing(cell[2]));
    const values = cells.map(cell => cell[2]);
    const [low, high] = item.diverging
      ? [Math.max(0, 2 * item.diverging - 1.6), item.diverging + 0.6]
      : [0, Math.max(...values, 0) || 1];
    const short = value => (format === "rate" ? String(Math.round(value * 100)) : compact(value));
    const isWide = innerWidth >= 640;
    // Where a cell is far from the page's own colour, its text has that colour.
    const strength = value => (item.diverging ? Math.abs(value - item.diverging) / (high - item.diverging) : value / high);
    const ink = value => (strength(value) > 0.55 ? css("--ground") : css("--text"));
    return {
      ...base(item, data), legend: undefined,
      grid: { left: 2, right: 4, top: 4, bottom: 52, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: tooltip("item", point =>
        `<b>${escaped(data.series[point.value[1]].label)}</b><br>${escaped(item.x_label || item.x)} ${escaped(label(data.xs[point.value[0]]))}: ${escaped(full(point.value[2], format))}`),
      xAxis: { ...category(data.xs), splitArea: { show: false } },
      yAxis: { ...category(data.series.map(one => one.label)), inverse: true },
      visualMap: {
        type: "continuous", min: low, max: high, calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: 140,
        text: [shown(high, format), shown(low, format)], textStyle: { color: css("--quiet") },
        inRange: { color: (item.diverging ? DIVERGING : SHADES)[mode()] },
      },
      series: [{
        type: "heatmap", data: cells.map(value => ({ value, label: { color: ink(value[2]) } })), itemStyle: { borderColor: css("--ground"), borderWidth: 1 },
        label: { show: isWide && item.labels !== false && data.xs.length <= 37, fontSize: data.xs.length > 26 ? 9 : 10, formatter: point => short(point.value[2]) },
      }],
    };
  }

  // One point a row: x, y, and a name that only the tooltip shows.
  function scatter(item, rows) {
    const [x, y] = item.values;
    const groups = item.series ? group(rows, item.series) : new Map([["", rows]]);
    const data = { series: [...groups.keys()] };
    return {
      ...base(item, data),
      grid: { ...base(item, data).grid, bottom: 24 },
      tooltip: tooltip("item", point =>
        `<b>${escaped(point.value[2])}</b><table>${line("", x.label, full(point.value[0], x.format))}${line("", y.label, full(point.value[1], y.format))}</table>`),
      xAxis: amounts(x.format, { name: x.label, nameLocation: "middle", nameGap: 26, nameTextStyle: { color: css("--quiet") }, max: item.max }),
      yAxis: amounts(y.format, { type: item.log ? "log" : "value" }),
      series: keysOf(item, rows, item.series ?? item.x).filter(name => groups.has(name)).map((name, index) => ({
        name: FORMATS.words(name), type: "scatter", symbolSize: 9, color: colorOf(item.colors ? NAMED[item.colors[name]] : index), itemStyle: { opacity: 0.7 },
        data: groups.get(name).filter(row => !item.log || row[y.name] > 0).map(row => [row[x.name], row[y.name], row[item.x]]),
      })),
    };
  }

  const BUILDERS = { lines: columns, areas: columns, bars: columns, ranking, heatmap, bridge: waterfall };

  function draw(place, item, rows, onPick) {
    const data = item.kind === "scatter" ? null : table(item, rows);
    if (data ? isEmpty(data) : rows.length === 0) return false;
    const chart = echarts.getInstanceByDom(place) || echarts.init(place, null, { renderer: "svg" });
    const height = item.kind === "heatmap" ? Math.max(180, data.series.length * 19 + 90)
      : item.kind === "ranking" ? Math.max(item.width === "wide" ? 140 : 240, data.xs.length * (item.stacked || data.series.length === 1 ? 28 : 46) + 60) : 300;
    place.style.height = `${item.height || height}px`;
    chart.resize();
    chart.setOption(data ? BUILDERS[item.kind](item, data) : scatter(item, rows), true);
    chart.off("click");
    if (onPick && data) chart.on("click", point => {
      const one = item.kind === "heatmap" ? data.series[point.value[1]] : data.series[point.seriesIndex];
      const x = item.kind === "heatmap" ? point.value[0] : point.dataIndex;
      if (one && !one.line) onPick(data.xs[x], one.key);
    });
    return true;
  }

  // A small line for a tile: the last value is marked, and the line is not a chart of its own.
  function sparkline(values) {
    const known = values.map((value, index) => [index, value]).filter(([, value]) => !isMissing(value));
    if (known.length < 2) return "";
    const low = Math.min(...known.map(([, value]) => value)), high = Math.max(...known.map(([, value]) => value));
    const x = index => (2 + (index / (values.length - 1)) * 116).toFixed(1);
    const y = value => (high === low ? 14 : 26 - ((value - low) / (high - low)) * 22).toFixed(1);
    const points = known.map(([index, value]) => `${x(index)},${y(value)}`);
    const [lastX, lastY] = points.at(-1).split(",");
    return `<svg class="spark" viewBox="0 0 120 30" preserveAspectRatio="none" aria-hidden="true"><polyline points="${points.join(" ")}"/></svg>`
      + `<svg class="spark dot" viewBox="0 0 120 30" aria-hidden="true"><circle cx="${lastX}" cy="${lastY}" r="2.5"/></svg>`;
  }

  // The table behind a chart, as header cells and rows of {value, format}.
  function grid(item, rows) {
    if ((item.kind === "table" && !item.x) || item.kind === "scatter") {
      const cells = item.kind === "scatter" ? [{ name: item.x, label: item.x_label || "Account", format: "text" }, ...item.values] : item.values;
      return { head: cells, rows: rows.map(row => cells.map(cell => ({ value: cell.of ? figure([row], cell) : row[cell.name], format: cell.format }))) };
    }
    const data = table(item, rows);
    const order = data.xs.map((_, index) => index);
    // A table of months has the newest first, since it is read from the top.
    if (item.kind === "table") order.reverse();
    const head = [{ label: item.x_label || item.x, format: "text" }, ...data.series.map(one => ({ label: one.label, format: one.format }))];
    return {
      head, data,
      rows: order.map(index => [{ value: data.xs[index], format: "text" }, ...data.series.map(one => ({ value: one.data[index], format: one.format }))]),
    };
  }

  const isNumber = format => !["text", "date", "month", "yes", "words"].includes(format);
  const cell = ({ value, format }) => (isNumber(format) ? full(value, format) : format === "text" ? label(value) : full(value, format));

  function tableHtml(item, rows, caption, limit = Infinity) {
    const behind = grid(item, rows);
    const head = behind.head.map(one => `<th scope="col"${isNumber(one.format) ? ' class="number"' : ""}>${escaped(one.label)}</th>`).join("");
    const body = behind.rows.slice(0, limit).map(row => `<tr>${row.map((one, index) =>
      `<td${isNumber(one.format) ? ` class="number${one.value < 0 ? " negative" : ""}"` : ""}>${
        index === 0 && item.drill && behind.data ? `<button class="pick" data-x="${escaped(one.value)}">${escaped(cell(one))}</button>` : escaped(cell(one))}</td>`).join("")}</tr>`).join("");
    return `<table><caption>${escaped(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
  }

  function csv(item, rows) {
    const behind = grid(item, rows);
    const text = value => (isMissing(value) ? "" : /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
    return [behind.head.map(one => text(one.label)), ...behind.rows.map(row => row.map(one => text(one.value)))]
      .map(row => row.join(",")).join("\n") + "\n";
  }

  return { draw, figure, group, ordered, sparkline, tableHtml, csv, shown, full, label, escaped, isMissing, isDark };
})();
