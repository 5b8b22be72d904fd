// SPDX-License-Identifier: MIT
// What the studio adds to the page: the files beneath the batch, and the log beneath them.
#pragma once

#include <xofn/publish/progress_page.hpp>

inline constexpr const char* studio_body = R"html(
<form id="choose" aria-labelledby="files-title">
<div class="head"><h2 id="files-title">Files</h2>
<label id="every"><input type="checkbox" id="all"> all</label></div>
<ul id="files"></ul>
<p id="empty" hidden>There are no images, films or sounds in the folder.</p>
<div class="controls">
<button id="run">Run</button>
<button type="button" id="retry" hidden>Retry</button>
</div>
</form>
<details id="log"><summary>Log</summary><pre tabindex="0" aria-label="Log"></pre></details>
<template id="file">
<li><label><input type="checkbox"><span class="name"></span></label>
<span class="size"></span><span class="is"></span><a hidden></a>
<p class="what" hidden></p></li>
</template>
)html";

inline constexpr const char* studio_style = R"css(
#none { display: none; }
#choose { margin-top: 1.5rem; }
#choose .head { align-items: center; }
#every { margin-left: auto; }
#files { margin: .5rem 0 0; padding: 0; list-style: none; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; max-height: 26rem; overflow: auto; }
#files li { display: grid; grid-template-columns: 1fr 5.5rem 6rem 5rem; align-items: center;
  gap: 0 .75rem; padding: 0 1rem; }
#files li + li { border-top: 1px solid var(--line); }
#files label, #every { display: flex; align-items: center; gap: .75rem; min-height: 2.75rem; }
#files label { padding: .25rem 0; overflow-wrap: anywhere; }
input[type="checkbox"] { width: 1.15rem; min-height: 1.15rem; flex: none; margin: 0;
  accent-color: var(--good); }
.size { color: var(--soft); text-align: right; font-variant-numeric: tabular-nums; }
.is { color: var(--soft); }
[data-is="running"] .is { color: var(--good); }
[data-is="succeeded"] .is { color: var(--done); }
[data-is="failed"] .is, .what { color: var(--bad); }
.what { grid-column: 1 / -1; margin: .15rem 0 .6rem 1.9rem; font-size: .9375rem; overflow-wrap: anywhere;
  white-space: pre-wrap; }
a { color: var(--good); }
a img { display: block; max-width: 5rem; max-height: 2.5rem; border-radius: .25rem; }
#run:enabled { border-color: var(--good); color: var(--good); }
button:disabled { opacity: .5; cursor: default; }
#empty { color: var(--soft); }
#log { margin-top: 1.5rem; }
#log summary { color: inherit; }
#log pre { margin: .5rem 0 0; padding: .75rem 1rem; max-height: 20rem; overflow: auto;
  font-size: .8125rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; }
@media (max-width: 30rem) {
  #files li { grid-template-columns: 1fr auto auto; padding: 0 .75rem .5rem; }
  #files label { grid-column: 1 / -1; }
  .size { text-align: left; margin-left: 1.9rem; }
}
)css";

inline constexpr const char* studio_script = R"js(
const rows = new Map();  // by name
let job = "", isRunning = false, makesImages = false, isFetching = false, isDue = false;

function sizeOf(bytes) {
  const [size, unit] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]].find(([s]) => bytes >= s)
      ?? [1, "B"];
  return `${(bytes / size).toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
}

const boxes = () => [...$("files").querySelectorAll("input")];
const chosen = () => boxes().filter((box) => box.checked).map((box) => box.value);
const files = (n) => `${number(n)} ${n === 1 ? "file" : "files"}`;

function makeRow(name) {
  const row = $("file").content.firstElementChild.cloneNode(true);
  row.dataset.name = name;
  row.querySelector("input").value = name;
  row.querySelector(".name").textContent = name;
  return row;
}

function showFile(file) {
  if (!rows.has(file.name)) rows.set(file.name, makeRow(file.name));
  const row = rows.get(file.name), part = (selector) => row.querySelector(selector);
  const hasEnded = row.dataset.is !== file.state && file.state === "succeeded";
  row.dataset.is = file.state;
  part(".size").textContent = sizeOf(file.size);
  part(".is").textContent = file.state;
  part(".what").textContent = file.what;
  part(".what").hidden = file.what === "";
  const link = part("a");
  link.hidden = file.result === "";
  if (file.result && (hasEnded || !link.hasChildNodes())) {
    link.href = `studio/results/${encodeURIComponent(file.name)}`;
    link.download = file.result;
    link.setAttribute("aria-label", `result of ${file.name}`);
    const image = Object.assign(document.createElement("img"), { alt: "" });
    if (makesImages) image.src = link.href;
    link.replaceChildren(makesImages ? image : "result");
  }
  return row;
}

function showButtons() {
  const count = chosen().length;
  const failed = $("files").querySelectorAll("[data-is=failed]").length;
  $("run").textContent = count ? `Run ${job} on ${files(count)}` : `Run ${job}`;
  $("run").disabled = isRunning || count === 0;
  $("retry").textContent = `Retry ${number(failed)} failed`;
  $("retry").hidden = isRunning || failed === 0;
  $("all").checked = count > 0 && count === rows.size;
  $("all").indeterminate = count > 0 && count < rows.size;
}

async function get(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(answer.status);
  return answer;
}

function logLine(line) {
  let event = null;
  try {
    event = JSON.parse(line);
  } catch {
    return line;  // a crash has cut it off
  }
  if (event.event === "attempt_failed" && !event.retried) return "";  // the next line says it too
  const count = "completed" in event ? `${event.completed}/${event.total}` : "";
  return [new Date(event.time).toLocaleTimeString("en-GB"), event.event.replaceAll("_", " "), count,
          event.item, event.error].filter(Boolean).join("  ");
}

async function refreshOnce() {
  const news = await (await get("studio/files")).json();
  ({ job, is_running: isRunning, makes_images: makesImages } = news);
  const names = new Set(news.files.map((file) => file.name));
  for (const [name, row] of rows) if (!names.has(name)) row.remove(), rows.delete(name);
  news.files.map(showFile).forEach((row, i) => {
    if ($("files").children[i] !== row) $("files").insertBefore(row, $("files").children[i] ?? null);
  });
  $("empty").hidden = rows.size > 0;
  showButtons();
  if ($("log").open) {
    const pre = $("log").querySelector("pre");
    const isAtEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 20;
    const lines = (await (await get("studio/log")).text()).split("\n").slice(0, -1);
    pre.textContent = lines.map(logLine).filter(Boolean).join("\n") || "Nothing has happened yet.";
    if (isAtEnd) pre.scrollTop = pre.scrollHeight;
  }
}

/// Four times a second at most, and once more for what has come meanwhile.
async function refresh() {
  isDue = true;
  if (isFetching) return;
  isFetching = true;
  while (isDue) {
    isDue = false;
    await refreshOnce().catch(() => {});  // the page says that there is no contact
    await new Promise((next) => setTimeout(next, 250));
  }
  isFetching = false;
}

$("choose").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await post("studio/start", JSON.stringify(chosen()))) {
    for (const box of boxes()) box.checked = false;
  }
  refresh();
});
$("retry").addEventListener("click", async () => {
  await post("studio/retry");
  refresh();
});
$("all").addEventListener("change", () => {
  for (const box of boxes()) box.checked = $("all").checked;
  showButtons();
});
$("files").addEventListener("change", showButtons);
$("log").addEventListener("toggle", refresh);
document.addEventListener("batches", refresh);
refresh();
)js";

inline xofn::ProgressPage studio_page() {
  return {
      .title = "Batch studio", .body = studio_body, .style = studio_style, .script = studio_script};
}
