'use strict';
const run = JSON.parse(document.getElementById('run-data').textContent);
const colours = ['#2563a8', '#d97706', '#0f8a5f', '#b3261e', '#7b4fb5', '#5d6b7d', '#c2417c', '#0891b2'];
const percent = (value) => (100 * value).toFixed(1) + ' %';

function element(tag, text, parent, className) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (className) node.className = className;
  if (parent) parent.appendChild(node);
  return node;
}

function row(parent, cells, tag = 'td') {
  const tr = element('tr', null, parent);
  for (const cell of cells) element(tag, cell, tr);
  return tr;
}

function lineChart(id, title, series, options = {}) {
  const canvas = document.getElementById(id);
  const shown = series.filter((s) => s.points.some((p) => p.y !== null && Number.isFinite(p.y)));
  if (shown.length === 0) {
    canvas.parentElement.remove();
    return;
  }
  new Chart(canvas, {
    type: 'line',
    data: {
      datasets: shown.map((s, i) => ({
        label: s.label, data: s.points, borderColor: colours[i % colours.length], backgroundColor: colours[i % colours.length],
        borderWidth: 2, pointRadius: s.points.length > 30 ? 0 : 2.5, tension: 0,
      })),
    },
    options: {
      animation: false, maintainAspectRatio: false, interaction: {mode: 'nearest', axis: 'x', intersect: false},
      plugins: {title: {display: true, text: title}, legend: {position: 'bottom', labels: {boxWidth: 12}}},
      scales: {
        x: {type: 'linear', title: {display: true, text: 'epoch'}, ticks: {precision: 0}},
        y: {title: {display: true, text: options.unit || ''}, min: options.min, max: options.max, type: options.logarithmic ? 'logarithmic' : 'linear'},
      },
    },
  });
}

function drawCurves() {
  const points = (key, factor = 1) => run.epochs.map((e) => ({x: e.epoch, y: typeof e[key] === 'number' ? e[key] * factor : null}));
  lineChart('chart-loss', 'Loss', [
    {label: 'training', points: points('train_loss')}, {label: 'validation', points: points('validation_loss')}]);
  lineChart('chart-accuracy', 'Accuracy', [
    {label: 'training', points: points('train_accuracy', 100)}, {label: 'validation', points: points('validation_accuracy', 100)},
    {label: 'validation, delays not rounded', points: points('validation_accuracy_unrounded', 100)}],
    {unit: '%', max: 100});
  const layers = [...new Set(run.epochs.flatMap((e) => Object.keys(e.firing_rates || {})))];
  lineChart('chart-rate', 'Mean firing rate', layers.map((name) => ({
    label: name, points: run.epochs.map((e) => ({x: e.epoch, y: (e.firing_rates || {})[name] * 100}))})), {unit: 'spikes per 100 ticks', min: 0});
  lineChart('chart-learning-rate', 'Learning rate', [{label: 'learning rate', points: points('learning_rate')}]);
  lineChart('chart-bump-width', 'Width of the bumps of learned delays', [{label: 'width', points: points('bump_width')}],
    {unit: 'ticks', min: 0});
}

function drawDelays() {
  if (run.delays.length === 0) return;
  const section = document.getElementById('delays');
  element('h2', 'Delays before and after training', section);
  const grid = element('div', null, section, 'charts');
  for (const {layer, before, after} of run.delays) {
    const canvas = element('canvas', null, element('figure', null, grid));
    const bars = (label, data, colour) => ({label, data, backgroundColor: colour, categoryPercentage: 0.9, barPercentage: 1});
    new Chart(canvas, {
      type: 'bar',
      data: {labels: after.map((_, tick) => tick), datasets: [bars('before', before, '#c3cad4'), bars('after', after, colours[0])]},
      options: {
        animation: false, maintainAspectRatio: false,
        plugins: {title: {display: true, text: layer}, legend: {position: 'bottom', labels: {boxWidth: 12}}},
        scales: {x: {title: {display: true, text: 'delay in ticks'}}, y: {title: {display: true, text: 'delays'}, ticks: {precision: 0}}},
      },
    });
  }
}

function drawFigures() {
  const parent = document.getElementById('figures');
  for (const [value, label] of run.figures) {
    const card = element('div', null, parent);
    element('b', value, card);
    element('span', label, card);
  }
}

function drawEvaluation() {
  if (!run.evaluation) return;
  const section = document.getElementById('evaluation');
  const {classes, confusion, split} = run.evaluation;
  element('h2', 'Evaluation on the ' + split + ' split', section);
  const both = element('div', null, section, 'split');
  const scroll = element('div', null, both, 'scroll');
  const table = element('table', null, scroll);
  table.id = 'confusion';
  const head = row(element('thead', null, table), ['true class \\ predicted'].concat(classes), 'th');
  head.firstChild.style.writingMode = 'horizontal-tb';
  head.firstChild.style.transform = 'none';
  const body = element('tbody', null, table);
  confusion.forEach((counts, i) => {
    const total = counts.reduce((a, b) => a + b, 0);
    const tr = element('tr', null, body);
    element('th', classes[i], tr);
    counts.forEach((count, j) => {
      const share = total ? count / total : 0;
      const td = element('td', count || '', tr);
      td.title = classes[i] + ' taken for ' + classes[j] + ': ' + count + ' of ' + total;
      td.style.background = (i === j ? 'rgba(37, 99, 168, ' : 'rgba(179, 38, 30, ') + (count ? 0.12 + 0.88 * share : 0) + ')';
      td.style.color = share > 0.55 ? '#fff' : 'inherit';
    });
  });
  const figure = element('figure', null, both);
  figure.style.height = Math.max(220, 28 * classes.length + 80) + 'px';
  const canvas = element('canvas', null, figure);
  canvas.id = 'chart-classes';
  new Chart(canvas, {
    type: 'bar',
    data: {labels: classes, datasets: [{data: confusion.map((c, i) => { const n = c.reduce((a, b) => a + b, 0); return n ? 100 * c[i] / n : null; }), backgroundColor: colours[0]}]},
    options: {
      indexAxis: 'y', animation: false, maintainAspectRatio: false, scales: {x: {min: 0, max: 100, title: {display: true, text: '%'}}},
      plugins: {title: {display: true, text: 'Accuracy by class'}, legend: {display: false}},
    },
  });
}

function drawExamples() {
  if (run.examples.length === 0) return;
  const section = document.getElementById('examples');
  element('h2', 'Recordings of the test split, with their predicted class', section);
  const grid = element('div', null, section, 'pictures');
  for (const example of run.examples) {
    const figure = element('figure', null, grid);
    const image = element('img', null, figure);
    image.src = 'data:image/png;base64,' + example.png;
    image.alt = 'events of class ' + example.label;
    const right = example.label === example.predicted;
    element('figcaption', right ? example.label : example.label + ', taken for ' + example.predicted, figure, right ? '' : 'wrong');
  }
}

function drawEnergy() {
  if (!run.energy) return;
  const section = document.getElementById('energy');
  const table = (title, rows) => {
    element('h2', title, section);
    const node = element('table', null, element('div', null, section, 'scroll'));
    row(element('thead', null, node), rows[0], 'th');
    const body = element('tbody', null, node);
    for (const cells of rows.slice(1)) row(body, cells);
  };
  table('Operations and energy, a sample of the test split', run.energy.executed);
  table("NeuroBench's numbers, a sample", run.energy.neurobench);
  for (const note of run.energy.notes) element('p', note, section);
}

function drawTables() {
  const layers = document.getElementById('layers');
  row(element('thead', null, layers), run.layers.columns, 'th');
  const body = element('tbody', null, layers);
  for (const cells of run.layers.rows) row(body, cells);
  const environment = document.getElementById('environment');
  for (const [name, value] of run.environment) row(environment, [name, value]);
  document.getElementById('config').textContent = run.config;
}

document.getElementById('title').textContent = run.title;
document.getElementById('subtitle').textContent = run.subtitle;
drawFigures();
drawCurves();
drawDelays();
drawEvaluation();
drawExamples();
drawEnergy();
drawTables();
document.body.dataset.drawn = String(Object.keys(Chart.instances).length);
