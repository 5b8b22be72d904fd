// SPDX-License-Identifier: MIT
// Not API: stored completion callbacks.
#pragma once

#include <xofn/batch/completion.hpp>
#include <xofn/batch/event_callback.hpp>

namespace xofn::detail {

template <class Task>
using CompletionCallbacks = EventCallbacks<Completion<Task>>;

}  // namespace xofn::detail
