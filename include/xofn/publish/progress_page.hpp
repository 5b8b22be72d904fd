// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace xofn {

/// What a program adds to the page of a `ProgressServer`: a part of its own beneath the batches.
/// All of it becomes part of the page as it is, and must come from the program.
///
/// Its script runs after that of the page, and may use
///
/// - the event "batches" of the document, whenever something is new: `event.detail` is an array of
///   all states, as `/api/batches` has them
/// - `post(path, body)`, which sends `body`, a string, with the token, to a handler for example. It
///   promises the Response if all went well; else null, and the page says why not, and asks for the
///   token if there is none, or another
///
/// Nothing may come from elsewhere: the page's policy lets in no other script, style or font, and
/// images and data of this server only.
struct ProgressPage {
  std::string title = "Batches";  ///< HTML without elements
  std::string body = {};          ///< HTML
  std::string style = {};         ///< CSS, after that of the page
  std::string script = {};        ///< JavaScript
};

}  // namespace xofn
