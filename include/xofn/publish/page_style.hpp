// SPDX-License-Identifier: MIT
// Not API: how the page looks.
#pragma once

#include <string_view>

namespace xofn::detail {

inline constexpr std::string_view page_style = R"css(
:root {
  color-scheme: light dark;
  --paper: #f5f6f8; --card: #fff; --ink: #1b1f27; --soft: #586070; --line: #d9dde4;
  --rail: #e6e9ee; --good: #2563c9; --done: #1b7a43; --bad: #b3261e; --wait: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111419; --card: #1a1e25; --ink: #e8ebf0; --soft: #a3abb8; --line: #333a45;
    --rail: #2b313b; --good: #6ea2f5; --done: #5fc78a; --bad: #ff8a80; --wait: #e6b450;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 48rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
header { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h1 { font-size: 1.25rem; margin: 0; }
#contact { margin: 0; color: var(--soft); font-size: .875rem; }
#contact::before { content: ""; display: inline-block; width: .6em; height: .6em;
  margin-right: .45em; border-radius: 50%; background: var(--wait); }
#contact[data-is="live"]::before { background: var(--done); }
#contact[data-is="lost"]::before { background: var(--bad); }
#none { color: var(--soft); padding: 3rem 0; text-align: center; }
article {
  margin-top: 1rem; padding: 1rem 1.25rem 1.1rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; }
h2 { font-size: 1.0625rem; margin: 0; overflow-wrap: anywhere; }
.state {
  font-size: .8125rem; padding: 0 .6em; border: 1px solid currentColor; border-radius: 1em;
  color: var(--good);
}
[data-state="paused"] .state, [data-state="cancelling"] .state { color: var(--wait); }
[data-state="finished"] .state { color: var(--done); }
[data-state="failed"] .state, [data-state="cancelled"] .state { color: var(--bad); }
.count { margin-left: auto; font-size: 1.25rem; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.rail {
  display: flex; height: .75rem; margin: .7rem 0 .55rem; overflow: hidden;
  background: var(--rail); border-radius: .4rem;
}
.rail i { width: 0; flex: none; transition: width .15s linear; }
.rail .succeeded { background: var(--good); }
[data-state="finished"] .rail .succeeded, [data-state="failed"] .rail .succeeded {
  background: var(--done);
}
.rail .failed { background: var(--bad); }
.rail .cancelled {
  background: repeating-linear-gradient(135deg, var(--soft) 0 3px, transparent 3px 7px);
}
.facts { margin: 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.facts span { display: inline-block; }
.facts span:not(:last-child)::after { content: "\00b7"; margin: 0 .5em; }
.facts .bad { color: var(--bad); }
details { margin-top: .6rem; }
summary { cursor: pointer; color: var(--bad); }
details ol { margin: .4rem 0 0; padding: 0; list-style: none; max-height: 16rem; overflow: auto; }
details li { padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere;
  font-size: .9375rem; white-space: pre-wrap; }
details li b { font-weight: 600; color: var(--soft); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .8rem; }
button, input { font: inherit; color: inherit; min-height: 2.75rem; padding: 0 1rem;
  background: transparent; border: 1px solid var(--soft); border-radius: .5rem; }
button { cursor: pointer; }
button:hover { border-color: var(--ink); background: var(--rail); }
button[data-do="cancel"] { color: var(--bad); border-color: var(--bad); }
:focus-visible { outline: 3px solid var(--good); outline-offset: 2px; }
#unlock { margin-top: 1.5rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  color: var(--soft); font-size: .9375rem; }
#unlock input { width: 14rem; max-width: 100%; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (max-width: 30rem) {
  body { padding: 1rem .75rem 2rem; }
  article { padding: .9rem 1rem 1rem; }
  .controls button { flex: 1; }
}
@media (prefers-reduced-motion: reduce) { .rail i { transition: none; } }
@media (forced-colors: active) {
  .rail { border: 1px solid CanvasText; }
  .rail i { forced-color-adjust: none; }
}
)css";

}  // namespace xofn::detail
