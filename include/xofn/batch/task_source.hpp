// SPDX-License-Identifier: MIT
// Not API: where the tasks of a batch come from.
#pragma once

#include <initializer_list>
#include <type_traits>
#include <xofn/batch/indexed_tasks.hpp>
#include <xofn/batch/read_tasks.hpp>
#include <xofn/batch/task_reference.hpp>

namespace xofn::detail {

template <class Range>
inline constexpr bool is_initializer_list = false;
template <class T>
inline constexpr bool is_initializer_list<std::initializer_list<T>> = true;

/// By index where that can be, else read. What stands for a range, and is none, specialises this.
template <class Range, class Task>
struct TaskSourceOf
    : std::conditional<is_indexed<Range>, IndexedTasks<Range, Task>, ReadTasks<Range, Task>> {};

template <class Range, class Task>
using TaskSource = typename TaskSourceOf<Range, Task>::type;

}  // namespace xofn::detail
