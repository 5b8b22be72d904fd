// SPDX-License-Identifier: MIT
// Not API: the page, which needs nothing but itself.
#pragma once

#include <string>
#include <string_view>
#include <xofn/publish/page_contact.hpp>
#include <xofn/publish/page_script.hpp>
#include <xofn/publish/page_style.hpp>
#include <xofn/publish/progress_page.hpp>

namespace xofn::detail {

inline constexpr std::string_view page_head = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
)html";

inline constexpr std::string_view page_body = R"html(
<p id="contact" role="status">connecting</p>
</header>
<p id="refused" role="alert" hidden></p>
<main id="batches"></main>
<p id="none" hidden>No batch is being watched.</p>
<form id="unlock" hidden>
<label for="token">To pause, resume and cancel, enter the token that the program has shown:</label>
<input id="token" type="password" autocomplete="off" required>
<button>Enter</button>
</form>
<p id="said" class="unseen" role="status"></p>
)html";

inline constexpr std::string_view page_end = R"html(
<template id="batch">
<article>
<div class="head"><h2></h2><span class="state"></span><span class="count"></span></div>
<progress class="unseen"></progress>
<div class="rail" aria-hidden="true"><i class="succeeded"></i><i class="failed"></i><i
  class="cancelled"></i></div>
<p class="facts"></p>
<details hidden><summary></summary><ol tabindex="0"></ol></details>
<div class="controls" hidden>
<button type="button" data-do="pause">Pause</button>
<button type="button" data-do="resume">Resume</button>
<button type="button" data-do="cancel">Cancel</button>
</div>
</article>
</template>
<noscript><p>Without JavaScript, <a href="api/batches">the figures</a> are there as JSON.</p></noscript>
)html";

/// The page; its styles and its scripts bear the number that its policy names.
[[nodiscard]] inline std::string page_text(const ProgressPage& added, const std::string& nonce) {
  const std::string style = "<style nonce=\"" + nonce + "\">";
  const std::string script = "<script nonce=\"" + nonce + "\">";
  std::string page(page_head);
  page += "<title>" + added.title + "</title>\n" + style;
  page += page_style;
  page += added.style + "</style>\n</head>\n<body>\n<header>\n<h1>" + added.title + "</h1>\n";
  page += page_body;
  page += added.body;
  page += page_end;
  page += script;
  page += page_script;
  page += page_contact;
  page += "</script>\n";
  if (!added.script.empty()) page += script + added.script + "</script>\n";
  return page + "</body>\n</html>\n";
}

}  // namespace xofn::detail
