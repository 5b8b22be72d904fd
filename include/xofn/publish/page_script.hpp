// SPDX-License-Identifier: MIT
// Not API: how the page follows the batches.
#pragma once

#include <string_view>

namespace xofn::detail {

inline constexpr std::string_view page_script = R"js(
"use strict";
const $ = (id) => document.getElementById(id);
const title = document.title;
const batches = new Map();  // by name: the newest state, and what shows it
let server = "", version = 0, controls = false, tag = "", token = "";

// --- The token, which is in the part of the address that browsers send to nobody ---

const remembered = (value) => {
  try {
    if (value === undefined) return sessionStorage.getItem("xofn-token") || "";
    sessionStorage.setItem("xofn-token", value);
  } catch { /* then it is asked for again */ }
  return value || "";
};
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", location.pathname);
token = given ? remembered(given) : remembered();

// --- Words ---

const number = (n) => n.toLocaleString("en");
const plural = (n, what) => `${number(n)} ${what}`;
function clock(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600), rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return hours >= 24 ? `${Math.floor(hours / 24)}d ${two(hours % 24)}:${rest}`
                     : hours ? `${two(hours)}:${rest}` : rest;
}
function amount(n) {
  const digits = { maximumSignificantDigits: n < 1000 ? 3 : 4, notation: "compact" };
  return n.toLocaleString("en", digits);
}
function pace(perSecond) {
  for (const [seconds, unit] of [[1, "s"], [60, "min"], [3600, "h"]]) {
    if (perSecond * seconds >= 1 || unit === "h") return `${amount(perSecond * seconds)}/${unit}`;
  }
}
function stateOf(b) {
  if (b.state === "cancelled") return b.ended ? "cancelled" : "cancelling";
  return b.state === "finished" && b.failed ? "failed" : b.state;
}
const said = { failed: "finished, with failures", cancelling: "being cancelled" };
const inWords = (b) => said[stateOf(b)] || stateOf(b);

// --- One batch ---

function make(name) {
  const card = $("batch").content.firstElementChild.cloneNode(true);
  const part = (selector) => card.querySelector(selector);
  const title = part("h2");
  title.textContent = name;
  part("progress").setAttribute("aria-label", name);
  part("ol").setAttribute("aria-label", `Failures of ${name}`);
  for (const button of card.querySelectorAll("button")) {
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
    button.addEventListener("click", () => steer(name, button.dataset.do));
  }
  card.setAttribute("aria-label", name);
  $("batches").append(card);
  return { card, part, state: null, quarter: 0, listed: 0 };
}

function show(entry) {
  const { card, part, state: b } = entry;
  Object.assign(card.dataset, {
    name: b.name, state: stateOf(b), completed: b.completed, total: b.total, ended: b.ended });
  part(".state").textContent = inWords(b);
  part(".count").textContent = `${number(b.completed)}/${number(b.total)}`;
  const bar = part("progress");
  bar.max = Math.max(b.total, 1);
  bar.value = b.total || !b.ended ? b.completed : 1;
  bar.textContent = `${b.percent} %`;
  for (const kind of ["succeeded", "failed", "cancelled"]) {
    part(`.rail .${kind}`).style.width = `${100 * b[kind] / Math.max(b.total, 1)}%`;
  }
  const facts = [[`${b.percent} %`]];
  if (!b.total_is_final) facts.push(["more may come"]);
  if (b.weight_total) facts.push([`${amount(b.weight_completed)} of ${amount(b.weight_total)}`]);
  if (b.per_second > 0) facts.push([pace(b.per_second)]);
  facts.push([b.ended ? `took ${clock(b.elapsed_seconds)}` : clock(b.elapsed_seconds)]);
  if (!b.ended && b.seconds_left !== null) facts.push([`${clock(b.seconds_left)} left`]);
  if (!b.ended) facts.push([plural(b.running, "running")]);
  if (b.failed) facts.push([plural(b.failed, "failed"), "bad"]);
  if (b.cancelled) facts.push([plural(b.cancelled, "cancelled")]);
  if (b.retried) facts.push([plural(b.retried, "retried")]);
  part(".facts").replaceChildren(...facts.map(([text, kind]) => {
    const fact = document.createElement("span");
    fact.textContent = text;
    if (kind) fact.className = kind;
    return fact;
  }));
  showFailures(entry);
  const steers = controls && token !== "" && !b.ended;
  part(".controls").hidden = !steers;
  part("[data-do=pause]").hidden = b.state !== "running";
  part("[data-do=resume]").hidden = b.state !== "paused";
  part("[data-do=cancel]").hidden = b.state === "cancelled";
}

function showFailures(entry) {
  const { part, state: { failed, failures } } = entry;
  part("details").hidden = !failures.length;
  const more = failed > failures.length ? `, of which the first ${failures.length}` : "";
  part("summary").textContent = plural(failed, failed === 1 ? "failure" : "failures") + more;
  for (const failure of failures.slice(entry.listed)) {
    const item = document.createElement("li"), place = document.createElement("b");
    const tries = failure.attempts > 1 ? ` (${failure.attempts} attempts)` : "";
    place.textContent = `item ${number(failure.index)}${tries}: `;
    item.append(place, failure.what);
    part("ol").append(item);
  }
  entry.listed = failures.length;
}

/// Tells a screen reader each change of state and each quarter, and no more.
function announce(entry, before) {
  const b = entry.state, quarter = Math.floor(b.percent / 25);
  const other = !before || before.state !== b.state || before.ended !== b.ended;
  if (!other && quarter <= entry.quarter) return;
  entry.quarter = quarter;
  const failed = b.failed ? `, ${plural(b.failed, "failed")}` : "";
  $("said").textContent =
      `${b.name}: ${inWords(b)}, ${number(b.completed)} of ${number(b.total)}${failed}`;
}

// --- All that is told, by whatever way it came ---

function take(message) {
  if (message.server !== server) {
    for (const { card } of batches.values()) card.remove();
    batches.clear();
    server = message.server;
    version = 0;
  }
  if (message.version < version) return;  // overtaken on the other way
  version = message.version;
  controls = message.controls;
  for (const b of message.batches) {
    let entry = batches.get(b.name);
    if (entry && entry.state.id !== b.id) drop(b.name), entry = undefined;
    if (!entry) batches.set(b.name, entry = make(b.name));
    const before = entry.state;
    entry.state = b;
    show(entry);
    announce(entry, before);
  }
  if (message.names) {
    for (const name of batches.keys()) if (!message.names.includes(name)) drop(name);
  }
  $("none").hidden = batches.size > 0;
  $("unlock").hidden = !controls || token !== "";
  const states = [...batches.values()].map(({ state }) => state);
  const running = states.filter((b) => !b.ended);
  document.title = running.map((b) => `${b.completed}/${b.total} ${b.name}`).join(", ") || title;
  document.dispatchEvent(new CustomEvent("batches", { detail: states }));
}

function drop(name) {
  batches.get(name).card.remove();
  batches.delete(name);
}

function contact(is, words) {
  if ($("contact").dataset.is === is) return;
  $("contact").dataset.is = is;
  $("contact").textContent = words;
}
)js";

}  // namespace xofn::detail
