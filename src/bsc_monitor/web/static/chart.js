"use strict";

// The process-behaviour chart of a KPI: values by period, natural limits by phase, target, forecast.
(() => {
  const holder = document.getElementById("chart");
  if (!holder) return;
  let data = null;
  let plot = null;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const text = (value) => value === null || value === undefined ? "–"
    : new Intl.NumberFormat("en", { maximumSignificantDigits: 4 }).format(value);
  const edge = (level, end) => Array.isArray(level) ? level[end] : level;

  // Where the forecast begins: at the open period, if it tells how that one ends, else after the last.
  const start = () => data.points.length - (data.points[data.points.length - 1]?.period === data.forecast[0]?.label ? 1 : 0);

  function series() {
    const first = start();
    const count = Math.max(data.points.length, first + data.forecast.length);
    const rest = Array(count - data.points.length).fill(null);
    const last = data.points[data.points.length - 1];
    const ahead = (name) => {
      const values = Array(first).fill(null);
      values[first - 1] = data.points[first - 1].value;
      return values.concat(data.forecast.map((each) => each[name]));
    };
    const columns = [
      Array.from({ length: count }, (_, place) => place),
      data.points.map((each) => each.value).concat(rest),
      data.points.map((each) => edge(each.target, 0)).concat(rest.map(() => edge(last.target, 0))),
      data.points.map((each) => edge(each.red, 0)).concat(rest.map(() => edge(last.red, 0))),
    ];
    if (data.forecast.length) columns.push(ahead("value"), ahead("low"), ahead("high"));
    return columns;
  }

  function label(place) {
    if (place < 0 || !Number.isInteger(place)) return "";
    return data.points[place]?.period ?? data.forecast[place - start()]?.label ?? "";
  }

  function drawPhases(u) {
    const context = u.ctx;
    context.save();
    context.lineWidth = devicePixelRatio;
    for (const phase of data.phases) {
      if (phase.centre === null) continue;
      const left = u.valToPos(phase.start - 0.5, "x", true);
      const right = u.valToPos(phase.end - 0.5, "x", true);
      const [upper, lower, centre] = [phase.upper, phase.lower, phase.centre].map((each) => u.valToPos(each, "y", true));
      context.fillStyle = colour("band3");
      context.globalAlpha = 0.75;
      context.fillRect(left, upper, right - left, lower - upper);
      context.globalAlpha = 1;
      context.strokeStyle = colour("faint");
      context.setLineDash(phase.firm ? [] : [4, 4]);
      for (const y of [upper, lower]) { context.beginPath(); context.moveTo(left, y); context.lineTo(right, y); context.stroke(); }
      context.setLineDash([]);
      context.strokeStyle = colour("soft");
      context.beginPath(); context.moveTo(left, centre); context.lineTo(right, centre); context.stroke();
    }
    context.restore();
  }

  function drawPoints(u) {
    const context = u.ctx;
    context.save();
    context.setLineDash([]);
    data.points.forEach((point, place) => {
      const x = u.valToPos(place, "x", true);
      const y = u.valToPos(point.value, "y", true);
      const size = (point.signals.length ? 5.5 : 3.8) * devicePixelRatio;
      context.beginPath();
      if (point.status === "red") context.rect(x - size, y - size, size * 2, size * 2);
      else if (point.status === "amber") { context.moveTo(x, y - size * 1.2); context.lineTo(x + size * 1.15, y + size); context.lineTo(x - size * 1.15, y + size); context.closePath(); }
      else context.arc(x, y, size, 0, Math.PI * 2);
      context.fillStyle = point.open ? colour("paper") : colour(point.status);
      context.strokeStyle = point.signals.length ? colour("ink") : colour(point.status);
      context.lineWidth = (point.signals.length ? 2 : 1.5) * devicePixelRatio;
      context.fill();
      context.stroke();
    });
    context.restore();
  }

  function options() {
    const grid = { stroke: colour("line"), width: 1 };
    const ticks = { stroke: colour("line"), width: 1, size: 4 };
    const axis = { stroke: colour("soft"), grid, ticks, font: "12px Inter, system-ui, sans-serif" };
    const line = (stroke, width, dash, more) => ({ stroke, width, dash, points: { show: false }, ...more });
    const made = [
      {}, line(colour("ink"), 1.75, undefined, { label: data.title }),
      line(colour("green"), 1.5, [7, 4], { label: "Target", paths: uPlot.paths.stepped({ align: 1 }) }),
      line(colour("red"), 1, [2, 3], { label: "Red flag", paths: uPlot.paths.stepped({ align: 1 }) }),
    ];
    const bands = [];
    if (data.forecast.length) {
      made.push(line(colour("accent"), 1.5, [4, 3], { label: "Forecast" }), line("transparent", 0), line("transparent", 0));
      bands.push({ series: [6, 5], fill: `color-mix(in srgb, ${colour("accent")} 16%, transparent)` });
    }
    const limits = data.phases.flatMap((each) => each.centre === null ? [] : [each.lower, each.upper]);
    return {
      width: Math.max(holder.clientWidth, 280), height: innerWidth < 700 ? 240 : 320,
      scales: {
        x: { time: false, range: (_u, min, max) => [min - 0.6, max + 0.6] },
        y: { range: (_u, min, max) => {
          const low = Math.min(min, ...limits), high = Math.max(max, ...limits), room = (high - low || Math.abs(high) || 1) * 0.08;
          return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
        } },
      },
      axes: [
        { ...axis, values: (_u, splits) => splits.map(label), incrs: [1, 2, 3, 6, 12, 24], space: 74, grid: { show: false } },
        { ...axis, values: (_u, splits) => splits.map(text), size: 64 },
      ],
      series: made, bands, legend: { show: false }, cursor: { drag: { x: false, y: false }, y: false },
      hooks: { drawAxes: [drawPhases], draw: [drawPoints], setCursor: [tell] },
    };
  }

  function tell(u) {
    const place = u.cursor.idx;
    const legend = document.getElementById("legend");
    const point = data.points[place ?? data.points.length - 1];
    const ahead = place === null || place === undefined || place < data.points.length ? null : data.forecast[place - start()];
    if (ahead) {
      legend.textContent = `${ahead.label}: forecast ${text(ahead.value)} ${data.unit}, between ${text(ahead.low)} and ${text(ahead.high)} four times in five`;
      return;
    }
    if (!point) return;
    const target = edge(point.target, 0) === null || point.target === null ? "" : `, target ${Array.isArray(point.target) ? point.target.map(text).join("–") : text(point.target)}`;
    const signal = point.signals.length ? " — a signal, not noise" : "";
    legend.textContent = `${point.period}: ${text(point.value)} ${data.unit}${target} (${point.status === "unknown" ? "no status" : point.status}${point.open ? ", still open" : ""})${signal}`;
  }

  function draw() {
    plot?.destroy();
    holder.replaceChildren();
    plot = new uPlot(options(), series(), holder);
    tell(plot);
  }

  async function load() {
    const answer = await fetch(holder.dataset.chart, { headers: { Accept: "application/json" } });
    if (!answer.ok) { holder.textContent = "The chart's data did not come."; return; }
    data = await answer.json();
    if (data.points.length > 1) draw();
  }

  let waiting = 0;
  const soon = (work, pause) => { clearTimeout(waiting); waiting = setTimeout(work, pause); };
  new ResizeObserver(() => { if (plot && Math.abs(holder.clientWidth - plot.width) > 2) soon(draw, 100); }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => data && draw());
  document.addEventListener("bsc:theme", () => data && draw());
  document.addEventListener("bsc:changed", (event) => { if (event.detail.startsWith("kpi.")) soon(load, 400); });
  load();
})();
