// SPDX-License-Identifier: MIT
// Not API: how the page keeps in contact, and steers.
#pragma once

#include <string_view>

namespace xofn::detail {

inline constexpr std::string_view page_contact = R"js(
// --- By WebSocket; while there is none, by asking ---

let socket = null, heard = 0, asks = false;

function connect() {
  if (!("WebSocket" in window)) return;
  const address = new URL("ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  const mine = socket = new WebSocket(address);
  heard = Date.now();
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    heard = Date.now();
    take(JSON.parse(event.data));
    contact("live", "live");
  };
  mine.onclose = () => {
    if (mine === socket) socket = null;
  };
}

/// The server says something at least once a second.
function isLive() {
  return socket !== null && socket.readyState === 1 && Date.now() - heard < 5000;
}

async function ask() {
  if (asks) return;
  asks = true;
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch("api/batches", { headers, cache: "no-store",
                                                signal: AbortSignal.timeout(5000) });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      take(await answer.json());
    } else if (answer.status !== 304) {
      throw new Error(answer.status);
    }
    if (!isLive()) contact("asking", "asking every second");
  } catch {
    if (!isLive()) contact("lost", "no contact");
  } finally {
    asks = false;
  }
}

let tries = 0;
function watch() {
  if (!isLive()) {
    if (tries++ % 5 === 0 && (socket === null || Date.now() - heard > 5000)) {
      if (socket !== null) socket.close();
      connect();
    }
    if (tries > 1) ask();
  } else {
    tries = 0;
  }
}
setInterval(watch, 1000);
watch();

// --- Steering ---

function steer(name, what) {
  if (what === "cancel" && !confirm(`Cancel ${name}? What has not started will not run.`)) return;
  post(`api/batches/${encodeURIComponent(name)}/${what}`);
}

async function post(path, body) {
  let words = "", answer = null;
  try {
    answer = await fetch(path, { method: "POST", body,
                                 headers: { Authorization: `Bearer ${token}` } });
    if (answer.status === 401) {
      token = remembered("");
      words = "The token is another.";
    } else if (!answer.ok) {
      words = await answer.text();
    }
  } catch {
    words = "There was no answer.";
  }
  $("refused").textContent = words;
  $("refused").hidden = words === "";
  if (token === "") {
    for (const entry of batches.values()) show(entry);
    $("unlock").hidden = false;
  }
  return words === "" ? answer : null;
}

$("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  token = remembered($("token").value.trim());
  $("token").value = "";
  $("refused").hidden = true;
  $("unlock").hidden = token !== "";
  for (const entry of batches.values()) show(entry);
});
)js";

}  // namespace xofn::detail
